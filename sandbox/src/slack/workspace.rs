//! A workspace of people talking on the simulated Slack, and everything they can do there.
//!
//! A scenario holds the workspace and acts in it. Acting on something that is not there is a
//! mistake in the scenario, and panics. Time is the workspace's own: every act takes one second of
//! it, so a workspace grown from the same acts is the same to the byte.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::grants::Grants;
use super::records::{Channel, ChannelId, Kind, Message, MessageId, Ts, User, UserId};

/// When a workspace begins that is not told otherwise.
const FOUNDED_AT: &str = "2024-01-08T09:00:00Z";

/// The app that the token is of, as a user.
pub(super) fn app() -> UserId {
    UserId("U0MILLRACE".to_owned())
}

#[derive(Clone, Debug)]
pub struct Workspace {
    pub grants: Grants,
    /// Slack repeats a thread's first message at the head of each of its pages.
    pub roots_on_every_page: bool,
    now: DateTime<Utc>,
    last_id: u64,
    pub(super) users: BTreeMap<UserId, User>,
    pub(super) channels: BTreeMap<ChannelId, Channel>,
}

impl Workspace {
    /// Nobody but Slack's own bot and the app.
    pub fn empty() -> Self {
        let mut workspace = Self {
            grants: Grants::default(),
            roots_on_every_page: true,
            now: FOUNDED_AT.parse().expect("the constant above is an instant"),
            last_id: 0,
            users: BTreeMap::new(),
            channels: BTreeMap::new(),
        };
        let mut slackbot = workspace.new_user("slackbot", "Slackbot", Kind::Person);
        slackbot.id = UserId("USLACKBOT".to_owned());
        let app = User {
            id: app(),
            name: "millrace".to_owned(),
            real_name: "Millrace".to_owned(),
            email: None,
            kind: Kind::Bot,
            ..slackbot.clone()
        };
        for user in [slackbot, app] {
            workspace.users.insert(user.id.clone(), user);
        }
        workspace
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Lets time pass until `now`. It never runs backwards.
    pub fn turn_to(&mut self, now: DateTime<Utc>) {
        self.now = self.now.max(now);
    }

    pub fn add_user(&mut self, name: &str, real_name: &str) -> UserId {
        self.add(name, real_name, Kind::Person)
    }

    pub fn add_bot(&mut self, name: &str) -> UserId {
        self.add(name, name, Kind::Bot)
    }

    pub fn add_stranger(&mut self, name: &str, real_name: &str) -> UserId {
        self.add(name, real_name, Kind::Stranger)
    }

    fn add(&mut self, name: &str, real_name: &str, kind: Kind) -> UserId {
        let user = self.new_user(name, real_name, kind);
        let id = user.id.clone();
        self.users.insert(id.clone(), user);
        id
    }

    fn new_user(&mut self, name: &str, real_name: &str, kind: Kind) -> User {
        User {
            id: UserId(self.next_id('U')),
            name: name.to_owned(),
            real_name: real_name.to_owned(),
            title: String::new(),
            email: (kind == Kind::Person).then(|| format!("{name}@example.com")),
            time_zone: "Central European Time",
            kind,
            deleted: false,
        }
    }

    /// A public channel, which the app joins at once. The first one is the general one.
    pub fn add_channel(&mut self, name: &str) -> ChannelId {
        let channel = Channel {
            id: ChannelId(self.next_id('C')),
            name: name.to_owned(),
            topic: String::new(),
            purpose: String::new(),
            is_general: self.channels.is_empty(),
            is_private: false,
            is_archived: false,
            has_app: true,
            members: [app()].into(),
            messages: BTreeMap::new(),
        };
        let id = channel.id.clone();
        self.channels.insert(id.clone(), channel);
        // Before all that is written there.
        let ts = Ts { seconds: self.now.timestamp(), fraction: 1 };
        self.notice_at(ts, &id, &app(), "channel_join", "has joined the channel");
        id
    }

    pub fn user_mut(&mut self, id: &UserId) -> &mut User {
        self.users.get_mut(id).expect("the user exists")
    }

    pub fn channel_mut(&mut self, id: &ChannelId) -> &mut Channel {
        self.channels.get_mut(id).expect("the channel exists")
    }

    pub fn message_mut(&mut self, id: &MessageId) -> &mut Message {
        self.channel_mut(&id.channel).messages.get_mut(&id.ts).expect("the message exists")
    }

    pub fn post(&mut self, channel: &ChannelId, user: &UserId, text: &str) -> MessageId {
        let ts = self.next_ts();
        self.write(channel, Message { user: Some(user.clone()), ..said(ts, text) })
    }

    /// The same in several channels in the same instant, and so under the same timestamp.
    pub fn post_everywhere(
        &mut self,
        channels: &[ChannelId],
        user: &UserId,
        text: &str,
    ) -> Vec<MessageId> {
        let ts = self.next_ts();
        let message = Message { user: Some(user.clone()), ..said(ts, text) };
        channels.iter().map(|channel| self.write(channel, message.clone())).collect()
    }

    pub fn reply(&mut self, root: &MessageId, user: &UserId, text: &str) -> MessageId {
        let reply = self.next_reply(root, user, text);
        self.write(&root.channel, reply)
    }

    /// A reply that is sent to the channel, too.
    pub fn broadcast(&mut self, root: &MessageId, user: &UserId, text: &str) -> MessageId {
        let reply = self.next_reply(root, user, text);
        let subtype = Some("thread_broadcast");
        self.write(&root.channel, Message { subtype, broadcast: true, ..reply })
    }

    fn next_reply(&mut self, root: &MessageId, user: &UserId, text: &str) -> Message {
        let ts = self.next_ts();
        Message { user: Some(user.clone()), thread: Some(root.ts), ..said(ts, text) }
    }

    /// As a bot, or as a person by means of an app.
    pub fn post_by_app(&mut self, channel: &ChannelId, user: &UserId, text: &str) -> MessageId {
        let ts = self.next_ts();
        let message = Message { user: Some(user.clone()), by_app: true, ..said(ts, text) };
        self.write(channel, message)
    }

    /// As an integration of the old kind, which has no user.
    pub fn post_by_webhook(&mut self, channel: &ChannelId, text: &str) -> MessageId {
        let ts = self.next_ts();
        let subtype = Some("bot_message");
        self.write(channel, Message { by_app: true, subtype, ..said(ts, text) })
    }

    pub fn join(&mut self, channel: &ChannelId, user: &UserId) -> MessageId {
        self.channel_mut(channel).members.insert(user.clone());
        self.notice(channel, user, "channel_join", "has joined the channel")
    }

    pub fn leave(&mut self, channel: &ChannelId, user: &UserId) -> MessageId {
        self.channel_mut(channel).members.remove(user);
        self.notice(channel, user, "channel_leave", "has left the channel")
    }

    pub fn set_topic(&mut self, channel: &ChannelId, user: &UserId, topic: &str) -> MessageId {
        topic.clone_into(&mut self.channel_mut(channel).topic);
        self.notice(channel, user, "channel_topic", &format!("set the channel topic: {topic}"))
    }

    fn notice(
        &mut self,
        channel: &ChannelId,
        user: &UserId,
        subtype: &'static str,
        text: &str,
    ) -> MessageId {
        let ts = self.next_ts();
        self.notice_at(ts, channel, user, subtype, text)
    }

    fn notice_at(
        &mut self,
        ts: Ts,
        channel: &ChannelId,
        user: &UserId,
        subtype: &'static str,
        text: &str,
    ) -> MessageId {
        let text = format!("<@{user}> {text}");
        let (user, subtype) = (Some(user.clone()), Some(subtype));
        self.write(channel, Message { user, subtype, ..said(ts, &text) })
    }

    fn write(&mut self, channel: &ChannelId, message: Message) -> MessageId {
        let ts = message.ts;
        self.channel_mut(channel).messages.insert(ts, message);
        MessageId { channel: channel.clone(), ts }
    }

    pub fn edit(&mut self, id: &MessageId, text: &str) {
        let now = self.next_ts();
        let message = self.message_mut(id);
        text.clone_into(&mut message.text);
        message.edited = Some(now);
    }

    pub fn react(&mut self, id: &MessageId, user: &UserId, name: &str) {
        self.message_mut(id).reactions.entry(name.to_owned()).or_default().push(user.clone());
    }

    /// It vanishes, or leaves a tombstone if somebody had replied.
    pub fn delete(&mut self, id: &MessageId) {
        let channel = self.channel_mut(&id.channel);
        if channel.replies(id.ts).next().is_none() {
            channel.messages.remove(&id.ts).expect("the message to delete exists");
            return;
        }
        let message = self.message_mut(id);
        message.is_tombstone = true;
        message.subtype = Some("tombstone");
        message.user = Some(UserId("USLACKBOT".to_owned()));
        "This message was deleted.".clone_into(&mut message.text);
    }

    fn next_ts(&mut self) -> Ts {
        self.now += TimeDelta::seconds(1);
        self.last_id += 1;
        let fraction = (self.last_id * 100 + 9) % 1_000_000;
        Ts { seconds: self.now.timestamp(), fraction: fraction as u32 }
    }

    fn next_id(&mut self, first: char) -> String {
        self.last_id += 1;
        format!("{first}0{:08X}", 0x0A1B_2C00_u64 + self.last_id)
    }
}

fn said(ts: Ts, text: &str) -> Message {
    Message {
        ts,
        text: text.to_owned(),
        user: None,
        by_app: false,
        subtype: None,
        thread: None,
        broadcast: false,
        edited: None,
        reactions: BTreeMap::new(),
        is_tombstone: false,
    }
}
