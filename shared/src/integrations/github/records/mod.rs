//! What we make of it: activities and members.
//!
//! Where GitHub has an id for what was done, that is the activity's; a star or a step in the life of
//! a pull request has none, or none that a webhook would tell too, and gets one that is made of who,
//! what and when (`gen-…`).

pub(super) mod commits;
pub(super) mod discussions;
pub(super) mod issues;
mod people;
pub(super) mod pulls;
pub(super) mod watching;

use chrono::{DateTime, SecondsFormat, Utc};

pub(super) use people::{People, organization, told_followers};

use crate::sdk::{Activity, Member, attributes, generated_id, said};

/// A type of activity: its name, its score, and whether it is a contribution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind(&'static str, i16, bool);

const STAR: Kind = Kind("star", 2, false);
const FORK: Kind = Kind("fork", 4, false);
const PULL_OPENED: Kind = Kind("pull_request-opened", 10, true);
const PULL_CLOSED: Kind = Kind("pull_request-closed", 8, true);
const PULL_MERGED: Kind = Kind("pull_request-merged", 6, true);
const PULL_REVIEWED: Kind = Kind("pull_request-reviewed", 8, true);
const PULL_REVIEW_REQUESTED: Kind = Kind("pull_request-review-requested", 2, false);
const PULL_ASSIGNED: Kind = Kind("pull_request-assigned", 2, false);
const PULL_COMMENT: Kind = Kind("pull_request-comment", 6, true);
const PULL_REVIEW_THREAD_COMMENT: Kind = Kind("pull_request-review-thread-comment", 6, true);
const ISSUE_OPENED: Kind = Kind("issues-opened", 8, true);
const ISSUE_CLOSED: Kind = Kind("issues-closed", 6, true);
const ISSUE_COMMENT: Kind = Kind("issue-comment", 6, true);
const DISCUSSION_STARTED: Kind = Kind("discussion-started", 8, true);
const DISCUSSION_COMMENT: Kind = Kind("discussion-comment", 6, true);
const DISCUSSION_ANSWER: Kind = Kind("discussion-comment", 8, true);

/// The rest of an activity is added by struct update.
fn activity(
    Kind(kind, score, is_contribution): Kind,
    source_id: String,
    timestamp: DateTime<Utc>,
    channel: &str,
    member: Member,
) -> Activity {
    Activity {
        channel: Some(channel.to_owned()),
        score,
        is_contribution,
        ..Activity::by(member, kind, source_id, timestamp)
    }
}

/// An instant as it stands in generated ids: `2024-05-01T12:00:00.000Z`.
fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
