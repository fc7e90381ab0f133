//! The truth, for whoever compares it with what an integration made of it.

use super::records::{Channel, ChannelId, Kind, Message, MessageId, User, UserId};
use super::workspace::Workspace;

/// Something a person wrote where the app can read it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedMessage {
    pub id: MessageId,
    /// The first message of the thread it was written in, whether or not a person wrote that.
    pub parent: Option<MessageId>,
    pub user: UserId,
    /// With names for those who are mentioned.
    pub text: String,
}

impl Workspace {
    pub fn users(&self) -> impl DoubleEndedIterator<Item = &User> {
        self.users.values()
    }

    pub fn channels(&self) -> impl DoubleEndedIterator<Item = &Channel> {
        self.channels.values()
    }

    pub fn user(&self, id: &UserId) -> &User {
        self.users.get(id).expect("the user exists")
    }

    pub fn channel(&self, id: &ChannelId) -> &Channel {
        self.channels.get(id).expect("the channel exists")
    }

    pub fn is_person(&self, id: &UserId) -> bool {
        id.0 != "USLACKBOT" && self.user(id).kind != Kind::Bot
    }

    /// All that people have written, in the order of channels and times.
    pub fn expected_messages(&self) -> Vec<ExpectedMessage> {
        let open = self.channels().filter(|channel| channel.has_app);
        let messages = open.flat_map(|channel| channel.messages().map(move |it| (channel, it)));
        messages.filter_map(|(channel, message)| self.expected(channel, message)).collect()
    }

    fn expected(&self, channel: &Channel, message: &Message) -> Option<ExpectedMessage> {
        let user = message.user.clone().filter(|user| self.is_person(user))?;
        if !matches!(message.subtype, None | Some("file_share" | "me_message" | "thread_broadcast"))
        {
            return None;
        }
        let id = |ts| MessageId { channel: channel.id.clone(), ts };
        let text = self.with_names(&message.text);
        Some(ExpectedMessage { id: id(message.ts), parent: message.thread.map(id), user, text })
    }

    fn with_names(&self, text: &str) -> String {
        let visible = self.users().filter(|user| user.kind != Kind::Invisible);
        visible.fold(text.to_owned(), |text, user| {
            text.replace(&format!("<@{}>", user.id), &format!("@{}", user.name))
        })
    }

    /// Who joined which channel that the app can read.
    pub fn expected_joins(&self) -> Vec<(ChannelId, UserId)> {
        let open = self.channels().filter(|channel| channel.has_app);
        let joins = open.flat_map(|channel| {
            let joins = channel.messages().filter(|it| it.subtype == Some("channel_join"));
            joins.filter_map(|join| Some((channel.id.clone(), join.user.clone()?)))
        });
        let mut joins: Vec<_> = joins.filter(|(_, user)| self.is_person(user)).collect();
        joins.sort();
        joins.dedup();
        joins
    }

    /// Everybody whom the workspace lists and who is no bot.
    pub fn expected_people(&self) -> impl Iterator<Item = &User> {
        self.users().filter(|user| user.kind == Kind::Person && user.id.0 != "USLACKBOT")
    }
}
