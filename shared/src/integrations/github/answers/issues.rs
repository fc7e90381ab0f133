//! Issues, and what they have in common with pull requests.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Connection, Person, Place};

/// Of an issue or a pull request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Comment {
    pub(in super::super) id: String,
    pub(in super::super) author: Option<Person>,
    pub(in super::super) body_text: String,
    pub(in super::super) url: String,
    pub(in super::super) created_at: DateTime<Utc>,
    pub(in super::super) updated_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Event {
    pub(in super::super) actor: Option<Person>,
    pub(in super::super) created_at: DateTime<Utc>,
    pub(in super::super) url: String,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "__typename")]
pub(in super::super) enum IssueEvent {
    #[serde(rename = "ClosedEvent")]
    Closed(Box<Event>),
    /// It came from another repository.
    #[serde(rename = "TransferredEvent")]
    Transferred {},
    /// One that we did not ask for.
    #[serde(other)]
    Another,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Issue {
    pub(in super::super) id: String,
    pub(in super::super) title: String,
    pub(in super::super) url: String,
    pub(in super::super) state: String,
    pub(in super::super) body_text: String,
    pub(in super::super) created_at: DateTime<Utc>,
    pub(in super::super) updated_at: DateTime<Utc>,
    pub(in super::super) author: Option<Person>,
    pub(in super::super) comments: Connection<Comment>,
    pub(in super::super) timeline_items: Connection<IssueEvent>,
}

/// Further closings of an issue.
#[derive(Debug, Deserialize)]
pub(in super::super) struct BelowIssue {
    pub(in super::super) id: String,
    pub(in super::super) state: String,
    pub(in super::super) repository: Place,
    pub(in super::super) page: Connection<IssueEvent>,
}
