//! What there is to see in a guild, and the truth a synchronisation is compared with.

use chrono::{DateTime, Utc};

use super::community::{
    ADMINISTRATOR, Community, MANAGE_THREADS, READ_MESSAGE_HISTORY, VIEW_CHANNEL,
};
use super::records::{Channel, Id, Kind, Membership, Message, MessageKind, ThreadState, User};

/// One message that a complete synchronisation must have found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedMessage {
    pub id: String,
    pub parent: Option<String>,
    pub author: String,
    /// With names for those who are mentioned.
    pub content: String,
    /// Of the channel, also for what was written in a thread of it.
    pub channel: String,
    pub thread: Option<String>,
    pub at: DateTime<Utc>,
}

impl Community {
    /// The whole truth: all that people wrote where the bot may read, in the order they wrote it.
    pub fn expected_messages(&self) -> Vec<ExpectedMessage> {
        let readable = self.channels.values().filter(|channel| self.bot_may_read(channel));
        let messages = readable.flat_map(|channel| channel.messages.values());
        let mut expected: Vec<_> = messages.filter_map(|message| self.expect(message)).collect();
        expected.sort_by_key(|message| message.at);
        expected
    }

    /// Who joined and when: of those who are there, and no bots.
    pub fn expected_joins(&self) -> Vec<(String, DateTime<Utc>)> {
        let people = self.members.iter().filter(|(id, _)| !self.user(**id).bot);
        people.map(|(id, member)| (id.to_string(), member.joined_at)).collect()
    }

    fn expect(&self, message: &Message) -> Option<ExpectedMessage> {
        let said = matches!(message.kind, MessageKind::Said | MessageKind::Reply(_));
        if !said || self.user(message.author).bot {
            return None;
        }
        let place = self.channel(message.place);
        let thread = place.thread.as_ref().map(|_| place);
        let channel = match thread {
            Some(thread) => self.channel(thread.parent?),
            None => place,
        };
        let parent = match (thread, message.kind) {
            (Some(thread), _) => Some(thread.id).filter(|id| *id != message.id),
            (None, MessageKind::Reply(to)) => Some(to),
            (None, _) => None,
        };
        Some(ExpectedMessage {
            id: message.id.to_string(),
            parent: parent.map(|id| id.to_string()),
            author: message.author.to_string(),
            content: self.with_names(&message.content),
            channel: channel.name.clone(),
            thread: thread.map(|thread| thread.name.clone()),
            at: message.id.time(),
        })
    }

    fn with_names(&self, said: &str) -> String {
        if !said.contains("<@") {
            return said.to_owned();
        }
        self.users().fold(said.to_owned(), |said, user| {
            said.replace(&format!("<@{}>", user.id), &format!("@{}", user.username))
        })
    }

    /// Sees it and its history, and of private threads: was invited or looks after them all.
    pub fn bot_may_read(&self, channel: &Channel) -> bool {
        let may = self.bot_permissions(channel);
        may & VIEW_CHANNEL != 0 && may & READ_MESSAGE_HISTORY != 0 && self.sees_thread(channel, may)
    }

    pub(super) fn bot_may_see(&self, channel: &Channel) -> bool {
        let may = self.bot_permissions(channel);
        may & VIEW_CHANNEL != 0 && self.sees_thread(channel, may)
    }

    fn sees_thread(&self, channel: &Channel, may: u64) -> bool {
        let joined = channel.thread.as_ref().is_some_and(|thread| thread.joined);
        channel.kind != Kind::PrivateThread || joined || may & MANAGE_THREADS != 0
    }

    /// A thread has those of the channel it is in.
    pub(super) fn bot_permissions(&self, channel: &Channel) -> u64 {
        let channel = match (&channel.thread, channel.parent) {
            (Some(_), Some(parent)) => self.channel(parent),
            _ => channel,
        };
        let Some(bot) = self.members.get(&self.bot) else { return 0 };
        let mut may = self.permissions[&self.guild];
        may = bot.roles.iter().fold(may, |may, role| may | self.permissions[role]);
        if may & ADMINISTRATOR != 0 {
            return u64::MAX;
        }
        let overwrite = |may: u64, ids: &[Id]| {
            let found = || ids.iter().filter_map(|id| channel.overwrites.get(id));
            let denied = found().fold(0, |deny, overwrite| deny | overwrite.deny);
            found().fold(may & !denied, |may, overwrite| may | overwrite.allow)
        };
        let roles: Vec<_> = bot.roles.iter().copied().collect();
        overwrite(overwrite(overwrite(may, &[self.guild]), &roles), &[self.bot])
    }

    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    pub fn members(&self) -> impl Iterator<Item = (&User, &Membership)> {
        self.members.iter().map(|(id, member)| (self.user(*id), member))
    }

    /// Channels and threads, oldest first.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values()
    }

    pub fn threads(&self) -> impl Iterator<Item = (&Channel, &ThreadState)> {
        self.channels.values().filter_map(|it| Some((it, it.thread.as_ref()?)))
    }

    /// Of a channel or a thread, oldest first.
    pub fn messages(&self, place: Id) -> impl DoubleEndedIterator<Item = &Message> {
        self.channel(place).messages.values()
    }

    pub fn user(&self, id: Id) -> &User {
        &self.users[&id]
    }

    pub fn channel(&self, id: Id) -> &Channel {
        &self.channels[&id]
    }

    pub fn message(&self, id: Id) -> &Message {
        let found = self.channels.values().find_map(|channel| channel.messages.get(&id));
        found.expect("the message exists")
    }

    pub fn user_mut(&mut self, id: Id) -> &mut User {
        self.users.get_mut(&id).expect("the user exists")
    }

    pub fn channel_mut(&mut self, id: Id) -> &mut Channel {
        self.channels.get_mut(&id).expect("the channel exists")
    }

    pub fn message_mut(&mut self, id: Id) -> &mut Message {
        let mut channels = self.channels.values_mut();
        let found = channels.find_map(|channel| channel.messages.get_mut(&id));
        found.expect("the message exists")
    }

    pub(super) fn thread_mut(&mut self, id: Id) -> &mut ThreadState {
        self.channel_mut(id).thread.as_mut().expect("the channel is a thread")
    }
}
