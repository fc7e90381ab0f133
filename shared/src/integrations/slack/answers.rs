//! What Slack sends, as far as we read it.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::paging::Page;
use super::ts::Ts;

/// Whose token it is, and where its workspace is on the web.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Workspace {
    /// With a slash at its end.
    pub(super) url: String,
    pub(super) team: String,
    pub(super) team_id: String,
    user_id: String,
    /// Only of an app's token.
    bot_id: Option<String>,
}

impl Workspace {
    /// The app, as a user.
    pub(super) fn app(&self) -> Option<&str> {
        self.bot_id.as_ref().map(|_| self.user_id.as_str())
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Conversation {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) is_member: bool,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) is_archived: bool,
    topic: Option<Said>,
    purpose: Option<Said>,
}

#[derive(Clone, Debug, Deserialize)]
struct Said {
    #[serde(default, deserialize_with = "null_as_default")]
    value: String,
}

impl Conversation {
    /// What it is for, else what it is about.
    pub(super) fn description(&self) -> Option<String> {
        let said = [&self.purpose, &self.topic].into_iter().flatten();
        said.map(|said| &said.value).find(|value| !value.trim().is_empty()).cloned()
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Message {
    pub(super) ts: Ts,
    /// None where all that is said stands on cards.
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) text: String,
    /// What kind of message it is, where it is none of the usual ones.
    pub(super) subtype: Option<String>,
    pub(super) user: Option<String>,
    /// The app that wrote it, or by which a person did.
    pub(super) bot_id: Option<String>,
    /// The first message of its thread, which may be itself.
    pub(super) thread_ts: Option<Ts>,
    /// Of a first message only.
    pub(super) latest_reply: Option<Ts>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) reply_count: u32,
    pub(super) edited: Option<Edited>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) reactions: Vec<Reaction>,
    /// Cards below the text, of whatever shape.
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) attachments: Vec<Value>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Edited {
    pub(super) ts: Ts,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Reaction {
    pub(super) name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) users: Vec<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) count: u32,
}

impl Message {
    /// The thread that it is a reply in.
    pub(super) fn answers(&self) -> Option<Ts> {
        self.thread_ts.filter(|&thread| thread != self.ts)
    }

    /// Whether others have replied to it.
    pub(super) fn is_answered(&self) -> bool {
        self.reply_count > 0 && self.answers().is_none()
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    /// The handle.
    pub(super) name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) is_bot: bool,
    pub(super) tz_label: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) profile: Profile,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Profile {
    pub(super) real_name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) image_72: Option<String>,
    pub(super) title: Option<String>,
}

impl User {
    /// Slack's own bot is called a user by Slack.
    pub(super) fn is_person(&self) -> bool {
        !self.is_bot && self.id != SLACKBOT
    }
}

pub(super) const SLACKBOT: &str = "USLACKBOT";

#[derive(Debug, Deserialize)]
pub(super) struct Conversations {
    channels: Vec<Conversation>,
    response_metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TheConversation {
    pub(super) channel: Conversation,
}

#[derive(Debug, Deserialize)]
pub(super) struct Messages {
    messages: Vec<Message>,
    response_metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Users {
    members: Vec<User>,
    response_metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TheUser {
    pub(super) user: User,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    next_cursor: Option<String>,
}

/// Slack writes null for much that it might have left out.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The last page has an empty cursor, or none.
fn page<T>(items: Vec<T>, metadata: Option<Metadata>) -> Page<T> {
    let next = metadata.and_then(|metadata| metadata.next_cursor);
    Page { items, next: next.filter(|cursor| !cursor.is_empty()) }
}

impl From<Conversations> for Page<Conversation> {
    fn from(Conversations { channels, response_metadata }: Conversations) -> Self {
        page(channels, response_metadata)
    }
}

impl From<Messages> for Page<Message> {
    fn from(Messages { messages, response_metadata }: Messages) -> Self {
        page(messages, response_metadata)
    }
}

impl From<Users> for Page<User> {
    fn from(Users { members, response_metadata }: Users) -> Self {
        page(members, response_metadata)
    }
}
