//! What a guild consists of, as Discord itself would store it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Serialize, Serializer};

/// An id of Discord's: the milliseconds since 2015, and who gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u64);

impl Id {
    pub(super) fn given(at: DateTime<Utc>, count: u64) -> Self {
        let millis = at.timestamp_millis() - 1_420_070_400_000;
        Self((millis.max(0) as u64) << 22 | count & 0xfff)
    }

    pub fn time(self) -> DateTime<Utc> {
        let millis = TimeDelta::milliseconds((self.0 >> 22) as i64 + 1_420_070_400_000);
        DateTime::UNIX_EPOCH + millis
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// As text, as Discord writes them.
impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: Id,
    pub username: String,
    pub discriminator: String,
    pub global_name: Option<String>,
    pub avatar: Option<String>,
    pub bot: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Membership {
    pub joined_at: DateTime<Utc>,
    pub nick: Option<String>,
    pub roles: BTreeSet<Id>,
}

/// As Discord numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text = 0,
    Voice = 2,
    Category = 4,
    Announcement = 5,
    AnnouncementThread = 10,
    PublicThread = 11,
    PrivateThread = 12,
    Forum = 15,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    pub id: Id,
    pub kind: Kind,
    pub name: String,
    /// A channel's category, or a thread's channel.
    pub parent: Option<Id>,
    pub overwrites: BTreeMap<Id, Overwrite>,
    /// The last that was written, whether it is still there or not; a forum's last post.
    pub last_message: Option<Id>,
    pub thread: Option<ThreadState>,
    pub(super) messages: BTreeMap<Id, Message>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overwrite {
    pub allow: u64,
    pub deny: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ThreadState {
    pub archived: bool,
    /// When it was last archived or opened.
    pub turned_at: DateTime<Utc>,
    /// Whether the bot was invited; of private threads.
    pub joined: bool,
}

/// What a message is, as far as readers must tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    Said,
    Reply(Id),
    /// Somebody joined.
    Welcome,
    /// The beginning of a thread, which stands in the channel above it.
    ThreadStarter(Id),
    /// Said by a program under some name.
    Webhook,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub id: Id,
    pub place: Id,
    pub author: Id,
    pub kind: MessageKind,
    pub content: String,
    pub edited_at: Option<DateTime<Utc>>,
    pub mentions: Vec<Id>,
    pub has_attachment: bool,
    pub reactions: u32,
}
