//! What a run has found, and what there was to be found.

use std::collections::BTreeMap;

use sandbox::github::{ExpectedActivity, World};

use super::Rehearsed;

/// By type and id.
pub(super) type Truth = BTreeMap<(String, String), ExpectedActivity>;

/// Each activity in its last version. Panics if one run tells an activity twice in different ways.
pub(super) fn found(runs: &[&Rehearsed]) -> Truth {
    let activities = runs.iter().flat_map(|run| run.activities());
    let known = activities.map(|activity| {
        let key = (activity.kind.clone(), activity.source_id.clone());
        let known = ExpectedActivity {
            parent: activity.source_parent_id.clone(),
            who: activity.member.identity.username.clone(),
            whom: activity.object_member.as_ref().map(|whom| whom.identity.username.clone()),
            body: activity.body.clone(),
            at: activity.timestamp.format("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
            score: activity.score,
            channel: activity.channel.clone(),
        };
        (key, known)
    });
    known.collect()
}

pub(super) fn of(world: &World) -> Truth {
    world.expected_activities()
}
