//! What a workspace consists of, as Slack itself would store it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub String);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub String);

/// A message is named by its channel and this: seconds and, after the point, six digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ts {
    pub seconds: i64,
    pub fraction: u32,
}

/// Where a message is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageId {
    pub channel: ChannelId,
    pub ts: Ts,
}

#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: UserId,
    /// The handle.
    pub name: String,
    pub real_name: String,
    pub title: String,
    pub email: Option<String>,
    pub time_zone: &'static str,
    pub kind: Kind,
    /// Deactivated: still listed, and what they wrote stays.
    pub deleted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Person,
    Bot,
    /// Of another workspace, met in a shared channel: not listed, but known to `users.info`.
    Stranger,
    /// Of another workspace, and hidden from this one.
    Invisible,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    pub id: ChannelId,
    pub name: String,
    pub topic: String,
    pub purpose: String,
    pub is_general: bool,
    pub is_private: bool,
    pub is_archived: bool,
    /// Whether the app was invited.
    pub has_app: bool,
    pub(super) members: BTreeSet<UserId>,
    pub(super) messages: BTreeMap<Ts, Message>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub ts: Ts,
    pub text: String,
    /// `None`: an integration of the old kind, which is nobody.
    pub user: Option<UserId>,
    /// Written by an app, perhaps in the name of the user.
    pub by_app: bool,
    /// `channel_join`, `bot_message`, …; `None` for what people usually write.
    pub subtype: Option<&'static str>,
    /// The first message of the thread it was written in.
    pub thread: Option<Ts>,
    /// Sent to the channel, too.
    pub broadcast: bool,
    pub edited: Option<Ts>,
    pub reactions: BTreeMap<String, Vec<UserId>>,
    /// Deleted, and kept in its place for the replies.
    pub is_tombstone: bool,
}

impl Message {
    pub(super) fn stands_in_the_channel(&self) -> bool {
        self.thread.is_none() || self.broadcast
    }

    /// What integrations of the old kind say stands on cards below a text that is none.
    pub(super) fn is_card(&self) -> bool {
        self.by_app && self.user.is_none()
    }
}

impl Channel {
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.values()
    }

    pub(super) fn replies(&self, root: Ts) -> impl Iterator<Item = &Message> {
        self.messages.values().filter(move |message| message.thread == Some(root))
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}.{:06}", self.seconds, self.fraction)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.channel, self.ts)
    }
}
