//! What stands in the answers, with the fields and the spelling of the real ones.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::community::Community;
use super::records::{Channel, Id, Membership, Message, MessageKind, User};

pub(super) fn user(user: &User) -> Value {
    let mut json = json!({
        "id": user.id, "username": user.username, "discriminator": user.discriminator,
        "global_name": user.global_name, "avatar": user.avatar, "public_flags": 0,
    });
    // Of people it is not said.
    if user.bot {
        json["bot"] = json!(true);
    }
    json
}

pub(super) fn guild(community: &Community) -> Value {
    let roles: Vec<_> = community.permissions.iter().map(|(id, bits)| role(*id, *bits)).collect();
    json!({
        "id": community.guild, "name": community.name, "owner_id": community.owner,
        "roles": roles, "features": [], "verification_level": 1,
    })
}

fn role(id: Id, permissions: u64) -> Value {
    json!({"id": id, "name": format!("role {id}"), "permissions": permissions.to_string()})
}

/// Intents as a bot in few guilds has them: limited.
pub(super) fn application(community: &Community) -> Value {
    let members = if community.members_intent { 1 << 15 } else { 0 };
    let content = if community.content_intent { 1 << 19 } else { 0 };
    let bot = community.user(community.bot);
    json!({"id": bot.id, "name": bot.username, "bot": user(bot), "flags": members | content})
}

pub(super) fn member(account: &User, membership: &Membership) -> Value {
    json!({
        "user": user(account), "nick": membership.nick, "avatar": null,
        "roles": membership.roles, "joined_at": instant(membership.joined_at),
        "deaf": false, "mute": false, "flags": 0,
    })
}

pub(super) fn channel(community: &Community, channel: &Channel) -> Value {
    let mut json = json!({
        "id": channel.id, "type": channel.kind as u8, "name": channel.name,
        "guild_id": community.guild, "parent_id": channel.parent,
        "last_message_id": channel.last_message,
    });
    match &channel.thread {
        None => {
            let overwrites = channel.overwrites.iter().map(|(id, overwrite)| {
                json!({
                    "id": id, "type": u8::from(!community.permissions.contains_key(id)),
                    "allow": overwrite.allow.to_string(), "deny": overwrite.deny.to_string(),
                })
            });
            json["permission_overwrites"] = overwrites.collect();
        }
        Some(thread) => {
            json["thread_metadata"] = json!({
                "archived": thread.archived, "archive_timestamp": instant(thread.turned_at),
                "auto_archive_duration": 4320, "locked": false,
            });
        }
    }
    json
}

pub(super) fn threads<'a>(
    community: &Community,
    threads: impl Iterator<Item = &'a Channel>,
) -> Value {
    let threads: Vec<_> = threads.map(|thread| channel(community, thread)).collect();
    json!({"threads": threads, "members": []})
}

pub(super) fn message(community: &Community, message: &Message) -> Value {
    let content = if community.content_intent { message.content.as_str() } else { "" };
    let mentions: Vec<_> = message.mentions.iter().map(|id| user(community.user(*id))).collect();
    let mut json = json!({
        "id": message.id, "channel_id": message.place, "content": content,
        "author": user(community.user(message.author)), "type": kind(message.kind),
        "timestamp": instant(message.id.time()), "edited_timestamp": message.edited_at.map(instant),
        "mentions": mentions, "attachments": attachments(message), "embeds": [],
        "pinned": false, "tts": false, "mention_everyone": false, "mention_roles": [],
    });
    if message.reactions > 0 {
        let emoji = json!({"id": null, "name": "🔥"});
        json["reactions"] = json!([{"count": message.reactions, "me": false, "emoji": emoji}]);
    }
    if let MessageKind::Reply(to) | MessageKind::ThreadStarter(to) = message.kind {
        json["message_reference"] =
            json!({"message_id": to, "channel_id": message.place, "guild_id": community.guild});
    }
    if message.kind == MessageKind::Webhook {
        json["webhook_id"] = json!(message.author);
    }
    json
}

fn kind(kind: MessageKind) -> u8 {
    match kind {
        MessageKind::Said | MessageKind::Webhook => 0,
        MessageKind::Welcome => 7,
        MessageKind::Reply(_) => 19,
        MessageKind::ThreadStarter(_) => 21,
    }
}

fn attachments(message: &Message) -> Value {
    if !message.has_attachment {
        return json!([]);
    }
    let path = format!("attachments/{}/{}/mill.png", message.place, message.id);
    json!([{
        "id": message.id, "filename": "mill.png", "content_type": "image/png", "size": 51_200,
        "url": format!("https://cdn.discordapp.com/{path}?ex=6743&is=6742&hm=0badcafe"),
        "proxy_url": format!("https://media.discordapp.net/{path}"),
    }])
}

/// To the microsecond, and never by a `Z`.
fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}
