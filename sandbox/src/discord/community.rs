//! A guild, its channels, and what people write there. How they come and go is told in `members.rs`,
//! what they do with threads in `threads.rs`.
//!
//! A scenario holds the community and acts in it: somebody writes, replies, starts a thread, joins,
//! leaves. Acting on something that is not there is a mistake in the scenario, and panics.
//!
//! Time is the community's own. Every act takes one second of it, so a community grown from the
//! same acts is the same to the byte, and two acts never share an instant.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::records::{Channel, Id, Kind, Membership, Message, MessageKind, Overwrite, User};

/// When a guild begins that is not told otherwise.
const FOUNDED_AT: &str = "2024-01-08T09:00:00Z";

pub(super) const ADMINISTRATOR: u64 = 1 << 3;
pub(super) const VIEW_CHANNEL: u64 = 1 << 10;
pub(super) const READ_MESSAGE_HISTORY: u64 = 1 << 16;
pub(super) const MANAGE_THREADS: u64 = 1 << 34;

#[derive(Clone, Debug, PartialEq)]
pub struct Community {
    pub guild: Id,
    pub name: String,
    /// The bot that the token is of.
    pub bot: Id,
    /// What every bot must be granted to see members and what is written.
    pub members_intent: bool,
    pub content_intent: bool,
    now: DateTime<Utc>,
    given: u64,
    pub(super) owner: Id,
    /// By role; the role of everybody bears the guild's id.
    pub(super) permissions: BTreeMap<Id, u64>,
    pub(super) users: BTreeMap<Id, User>,
    pub(super) members: BTreeMap<Id, Membership>,
    /// Threads too.
    pub(super) channels: BTreeMap<Id, Channel>,
}

impl Community {
    /// A guild with its owner and our bot in it, and no channel.
    pub fn empty() -> Self {
        let nobody = Id(0);
        let mut community = Self {
            guild: nobody,
            name: "Millers".to_owned(),
            bot: nobody,
            members_intent: true,
            content_intent: true,
            now: FOUNDED_AT.parse().expect("the constant above is an instant"),
            given: 0,
            owner: nobody,
            permissions: BTreeMap::new(),
            users: BTreeMap::new(),
            members: BTreeMap::new(),
            channels: BTreeMap::new(),
        };
        community.guild = community.next_id();
        let everybody = VIEW_CHANNEL | READ_MESSAGE_HISTORY | 1 << 20;
        community.permissions.insert(community.guild, everybody);
        community.owner = community.add_user("owner");
        community.join(community.owner);
        community.bot = community.add_bot("millrace");
        community.join(community.bot);
        community
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Lets time pass until `now`. It never runs backwards.
    pub fn turn_to(&mut self, now: DateTime<Utc>) {
        self.now = self.now.max(now);
    }

    pub fn pass(&mut self, span: TimeDelta) {
        self.now += span;
    }

    pub fn add_channel(&mut self, kind: Kind, name: &str) -> Id {
        let id = self.next_id();
        self.insert_channel(id, kind, name, None);
        id
    }

    pub(super) fn insert_channel(&mut self, id: Id, kind: Kind, name: &str, parent: Option<Id>) {
        let channel = Channel {
            id,
            kind,
            name: name.to_owned(),
            parent,
            overwrites: BTreeMap::new(),
            last_message: None,
            thread: None,
            messages: BTreeMap::new(),
        };
        self.channels.insert(id, channel);
    }

    /// Nobody sees the channel any more whom no role lets in.
    pub fn hide(&mut self, channel: Id) {
        self.deny(channel, VIEW_CHANNEL);
    }

    /// Everybody sees the channel, and nothing that was written there before.
    pub fn hide_history(&mut self, channel: Id) {
        self.deny(channel, READ_MESSAGE_HISTORY);
    }

    fn deny(&mut self, channel: Id, permission: u64) {
        let everybody = self.guild;
        self.overwrite(channel, everybody, Overwrite { allow: 0, deny: permission });
    }

    pub fn show(&mut self, channel: Id) {
        self.channel_mut(channel).overwrites.clear();
    }

    /// For a role or a member.
    pub fn overwrite(&mut self, channel: Id, whom: Id, overwrite: Overwrite) {
        self.channel_mut(channel).overwrites.insert(whom, overwrite);
    }

    /// The channel goes, its threads and all that was written there.
    pub fn remove_channel(&mut self, id: Id) {
        self.channels.remove(&id).expect("the channel to remove exists");
        self.channels.retain(|_, channel| channel.parent != Some(id));
    }

    pub fn post(&mut self, place: Id, author: Id, content: &str) -> Id {
        self.write(place, author, MessageKind::Said, content)
    }

    pub fn reply(&mut self, to: Id, author: Id, content: &str) -> Id {
        let place = self.message(to).place;
        self.write(place, author, MessageKind::Reply(to), content)
    }

    pub fn write(&mut self, place: Id, author: Id, kind: MessageKind, content: &str) -> Id {
        let id = self.next_id();
        self.insert_message(id, place, author, kind, content);
        id
    }

    /// Whoever writes in an archived thread opens it.
    pub(super) fn insert_message(
        &mut self,
        id: Id,
        place: Id,
        author: Id,
        kind: MessageKind,
        content: &str,
    ) {
        let message = Message {
            id,
            place,
            author,
            kind,
            content: content.to_owned(),
            edited_at: None,
            mentions: Vec::new(),
            has_attachment: false,
            reactions: 0,
        };
        if self.channel(place).thread.as_ref().is_some_and(|thread| thread.archived) {
            self.unarchive(place);
        }
        let channel = self.channel_mut(place);
        channel.last_message = Some(id);
        channel.messages.insert(id, message);
    }

    pub fn edit(&mut self, message: Id, content: &str) {
        self.next_id();
        let now = self.now;
        let message = self.message_mut(message);
        message.content = content.to_owned();
        message.edited_at = Some(now);
    }

    /// Its place still names it as its last, if it was.
    pub fn delete(&mut self, message: Id) {
        let place = self.message(message).place;
        self.channel_mut(place).messages.remove(&message);
    }

    pub(super) fn next_id(&mut self) -> Id {
        self.now += TimeDelta::seconds(1);
        self.given += 1;
        Id::given(self.now, self.given)
    }
}
