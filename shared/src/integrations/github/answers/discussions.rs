//! Discussions.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Connection, Person, Place};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Discussion {
    pub(in super::super) id: String,
    pub(in super::super) title: String,
    pub(in super::super) url: String,
    pub(in super::super) body_text: String,
    pub(in super::super) created_at: DateTime<Utc>,
    pub(in super::super) updated_at: DateTime<Utc>,
    pub(in super::super) author: Option<Person>,
    /// As it comes: it is an attribute of the activity.
    pub(in super::super) category: serde_json::Value,
    pub(in super::super) comments: Connection<DiscussionComment>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct DiscussionComment {
    pub(in super::super) id: String,
    pub(in super::super) author: Option<Person>,
    pub(in super::super) body_text: String,
    pub(in super::super) url: String,
    pub(in super::super) created_at: DateTime<Utc>,
    pub(in super::super) is_answer: bool,
    /// Only of a comment: replies have none.
    pub(in super::super) replies: Option<Connection<DiscussionComment>>,
}

/// Further replies to a comment.
#[derive(Debug, Deserialize)]
pub(in super::super) struct BelowComment {
    pub(in super::super) parent: String,
    pub(in super::super) discussion: Option<InDiscussion>,
    pub(in super::super) page: Connection<DiscussionComment>,
}

#[derive(Debug, Deserialize)]
pub(in super::super) struct InDiscussion {
    pub(in super::super) repository: Place,
}
