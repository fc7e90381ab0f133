//! What we make of messages and members: activities.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use url::Url;

use super::payloads::{Attachment, GuildMember, Message, User};
use super::places::Place;
use super::{Discord, Snowflake};
use crate::sdk::{Activity, Identity, Integration, Member, attributes};

/// As Discord numbers the types of messages. The others tell of what happened: somebody came,
/// something was pinned, a thread was begun.
const DEFAULT: u8 = 0;
const REPLY: u8 = 19;

/// `None` for what no person wrote.
///
/// What is said stays as it was written, which is Markdown and not HTML; only mentions, which are
/// written as ids, become names.
pub(super) fn message(guild: Snowflake, place: &Place, message: Message) -> Option<Activity> {
    let written = matches!(message.kind, DEFAULT | REPLY) && message.webhook_id.is_none();
    if !written || !is_person(&message.author) {
        return None;
    }
    let id = message.id;
    let body = with_names(&message);
    Some(Activity {
        source_parent_id: parent(place, &message).map(|parent| parent.to_string()),
        title: place.thread.as_ref().map(|thread| thread.name.clone()),
        body: Some(body).filter(|body| !body.is_empty()),
        url: Some(format!("https://discordapp.com/channels/{guild}/{}/{id}", place.id())),
        channel: Some(place.channel.name.clone()),
        attributes: told(place, &message),
        score: 6,
        is_contribution: true,
        ..Activity::by(member(message.author, None), "message", id.to_string(), message.timestamp)
    })
}

/// `None` for programs, and for guests, who never joined.
pub(super) fn join(member: GuildMember) -> Option<Activity> {
    let joined_at = member.joined_at.filter(|_| is_person(&member.user))?;
    let source_id = join_id(member.user.id, joined_at);
    let mut joined = self::member(member.user, member.nick);
    joined.joined_at = Some(joined_at);
    Some(Activity { score: 3, ..Activity::by(joined, "joined_guild", source_id, joined_at) })
}

/// Who leaves and joins again has joined twice.
fn join_id(user: Snowflake, at: DateTime<Utc>) -> String {
    format!("gen-{user}-{}", at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// A thread bears the id of the message it began with: that of the channel above it, or in a forum
/// its own first one.
fn parent(place: &Place, message: &Message) -> Option<Snowflake> {
    match &place.thread {
        Some(thread) => (thread.id != message.id).then_some(thread.id),
        None if message.kind == REPLY => message.message_reference.as_ref()?.message_id,
        None => None,
    }
}

fn told(place: &Place, message: &Message) -> Map<String, Value> {
    let attachments: Vec<_> = message.attachments.iter().map(attachment).collect();
    let always = [
        ("thread", json!(place.thread.is_some())),
        ("forum", json!(place.channel.forum)),
        ("reactions", json!(message.reactions)),
        ("attachments", json!(attachments)),
    ];
    let thread = place.thread.as_ref().map(|thread| ("childChannel", json!(thread.name)));
    attributes(always.into_iter().chain(thread))
}

/// The address without its signature, which is another one whenever it is asked for and good for a
/// day.
fn attachment(attachment: &Attachment) -> Value {
    let mut json = json!(attachment);
    if let Ok(mut url) = Url::parse(&attachment.url) {
        url.set_query(None);
        json["url"] = json!(url.as_str());
    }
    json
}

fn with_names(message: &Message) -> String {
    message.mentions.iter().fold(message.content.clone(), |text, user| {
        let name = format!("@{}", user.username);
        text.replace(&format!("<@{}>", user.id), &name).replace(&format!("<@!{}>", user.id), &name)
    })
}

fn is_person(user: &User) -> bool {
    !user.bot && !user.system
}

fn member(user: User, nick: Option<String>) -> Member {
    let avatar = user
        .avatar
        .as_ref()
        .map(|avatar| format!("https://cdn.discordapp.com/avatars/{}/{avatar}.png", user.id));
    let identity = Identity {
        platform: Discord::KIND.to_owned(),
        username: username(&user),
        source_id: Some(user.id.to_string()),
    };
    let display_name = nick.or(user.global_name);
    Member { display_name, ..Member::of(identity) }
        .attribute("sourceId", Some(user.id.to_string()))
        .attribute("avatarUrl", avatar)
}

/// Names are unique, but for those from before they were, such as "Deleted User", which many
/// accounts bear: these are told apart by a number.
fn username(user: &User) -> String {
    match user.discriminator.as_deref() {
        None | Some("0") => user.username.clone(),
        Some(number) => format!("{}#{number}", user.username),
    }
}
