//! Stars and forks.

use super::{FORK, People, STAR, activity, generated_id};
use crate::integrations::github::answers::{AccountKind, Fork, Star};
use crate::sdk::Activity;

pub(in super::super) fn star(star: Star, channel: &str, people: &mut People) -> Activity {
    let member = people.person(star.node);
    let at = star.starred_at;
    let who_what_when = format!("{}-star-{}-github", member.identity.username, at.timestamp());
    activity(STAR, generated_id(&who_what_when), at, channel, member)
}

/// `None` if an organization forked: that is not a person's act, and GitHub does not say whose.
pub(in super::super) fn fork(fork: Fork, channel: &str, people: &mut People) -> Option<Activity> {
    if fork.owner.kind == AccountKind::Organization {
        return None;
    }
    let member = people.person(fork.owner);
    let forked = activity(FORK, fork.id, fork.created_at, channel, member);
    Some(Activity { url: Some(fork.url), ..forked })
}
