//! Records as an integration would make them, of which a story says only what matters to it.

use chrono::{DateTime, Utc};
use serde_json::Map;
use shared::domain::{Activity, Identity, Member, Operation};

/// An account on the platform `toy`.
pub(crate) fn account<'a>(username: &str, source_id: impl Into<Option<&'a str>>) -> Member {
    Member::of(Identity {
        platform: "toy".into(),
        username: username.into(),
        source_id: source_id.into().map(str::to_owned),
    })
}

/// The same, with the name that its member goes by.
pub(crate) fn person<'a>(
    display_name: &str,
    username: &str,
    source_id: impl Into<Option<&'a str>>,
) -> Member {
    Member { display_name: Some(display_name.into()), ..account(username, source_id) }
}

pub(crate) fn comment(source_id: &str) -> Activity {
    Activity {
        platform: "toy".into(),
        kind: "comment".into(),
        source_id: source_id.into(),
        source_parent_id: None,
        source_parent_platform: None,
        timestamp: at("2024-04-01T00:00:00Z"),
        title: None,
        body: None,
        url: None,
        channel: None,
        attributes: Map::new(),
        score: 6,
        is_contribution: true,
        member: account("ada", None),
        object_member: None,
    }
}

pub(crate) fn reply(source_id: &str, to: &str) -> Activity {
    Activity { source_parent_id: Some(to.into()), ..comment(source_id) }
}

pub(crate) fn at(instant: &str) -> DateTime<Utc> {
    instant.parse().unwrap()
}

pub(crate) fn members(members: impl IntoIterator<Item = Member>) -> Vec<Operation> {
    vec![Operation::UpsertMembers(members.into_iter().collect())]
}

pub(crate) fn activities(activities: impl IntoIterator<Item = Activity>) -> Vec<Operation> {
    vec![Operation::UpsertActivities(activities.into_iter().collect())]
}
