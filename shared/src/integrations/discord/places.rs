//! Where messages are. Part of stored streams, so fields are only added.

use serde::{Deserialize, Serialize};

use super::Snowflake;

/// A channel of the guild, not a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    pub(super) id: Snowflake,
    pub(super) name: String,
    /// Of a forum only its posts have messages, and each post is a thread.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) forum: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    pub(super) id: Snowflake,
    pub(super) name: String,
}

/// A channel, or a thread of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub(super) channel: Channel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) thread: Option<Thread>,
}

impl Place {
    /// What the platform knows it by: to it a thread is a channel.
    pub(super) fn id(&self) -> Snowflake {
        self.thread.as_ref().map_or(self.channel.id, |thread| thread.id)
    }
}

/// Which of a place's messages.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The newest, and then backwards to the first.
    Newest,
    /// Those before this one, backwards to the first.
    Before(Snowflake),
    /// Those after this one, forwards.
    After(Snowflake),
}

/// Which of a channel's archived threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Archive {
    Public,
    /// All private ones: only for those who may manage threads.
    Private,
    /// The private ones that the bot was invited to.
    JoinedPrivate,
}
