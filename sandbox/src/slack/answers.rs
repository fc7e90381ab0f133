//! The workspace in the words of Slack's API: the fields and types of its published description,
//! and of its documentation where the description is older than the platform (`edited`, `root`).

use serde_json::{Value, json};

use super::records::{Channel, Kind, Message, User};

pub(super) fn channel_answer(channel: &Channel) -> Value {
    json!({
        "id": channel.id.0, "name": channel.name, "name_normalized": channel.name,
        "created": 1_704_704_400, "creator": "U0FOUNDER", "is_channel": true, "is_group": false,
        "is_im": false, "is_mpim": false, "is_shared": false, "is_org_shared": false,
        "is_general": channel.is_general, "is_private": channel.is_private,
        "is_archived": channel.is_archived, "is_member": channel.has_app,
        "num_members": channel.members.len(),
        "topic": { "value": channel.topic, "creator": "", "last_set": 0 },
        "purpose": { "value": channel.purpose, "creator": "", "last_set": 0 },
    })
}

pub(super) fn user_answer(user: &User, with_email: bool) -> Value {
    let mut profile = json!({
        "real_name": user.real_name, "real_name_normalized": user.real_name,
        "display_name": user.name, "display_name_normalized": user.name,
        "avatar_hash": "g0", "title": user.title, "phone": "", "skype": "",
        "status_text": "", "status_emoji": "", "fields": null,
        "image_72": format!("https://avatars.slack-edge.com/{}_72.png", user.id),
    });
    if let Some(email) = user.email.as_ref().filter(|_| with_email) {
        profile["email"] = json!(email);
    }
    let mut answer = json!({
        "id": user.id.0, "name": user.name, "deleted": user.deleted, "profile": profile,
        "is_bot": user.kind == Kind::Bot, "is_app_user": false, "updated": 1_704_704_400,
        "team_id": if user.kind == Kind::Stranger { "T0OTHER00" } else { "T0ACME000" },
    });
    // Of those who have gone Slack says less.
    if !user.deleted {
        answer["real_name"] = json!(user.real_name);
        answer["tz_label"] = json!(user.time_zone);
    }
    answer
}

pub(super) fn message_answer(channel: &Channel, message: &Message) -> Value {
    let mut answer =
        json!({ "type": "message", "ts": message.ts.to_string(), "text": message.text });
    if message.is_card() {
        answer["text"] = Value::Null;
        answer["attachments"] = json!([{ "id": 1, "fallback": message.text }]);
    }
    if let Some(user) = &message.user {
        answer["user"] = json!(user.0);
    }
    if let Some(subtype) = message.subtype {
        answer["subtype"] = json!(subtype);
    }
    if message.by_app {
        answer["bot_id"] = json!("B0SOMEAPP");
    }
    if let Some(at) = message.edited {
        answer["edited"] = json!({ "user": answer["user"], "ts": at.to_string() });
    }
    if !message.reactions.is_empty() {
        let reaction = |(name, users): (&String, &Vec<super::UserId>)| {
            let users: Vec<_> = users.iter().map(|user| &user.0).collect();
            json!({ "name": name, "count": users.len(), "users": users })
        };
        answer["reactions"] = message.reactions.iter().map(reaction).collect();
    }
    tell_of_thread(channel, message, &mut answer);
    answer
}

/// A first message says how often it was answered and when last; a reply says to what.
fn tell_of_thread(channel: &Channel, message: &Message, answer: &mut Value) {
    if let Some(root) = message.thread {
        answer["thread_ts"] = json!(root.to_string());
        answer["parent_user_id"] = json!("U0FOUNDER");
        return;
    }
    let replies: Vec<_> = channel.replies(message.ts).collect();
    let Some(last) = replies.last() else { return };
    let mut users: Vec<_> = replies.iter().filter_map(|it| Some(&it.user.as_ref()?.0)).collect();
    users.sort();
    users.dedup();
    answer["thread_ts"] = json!(message.ts.to_string());
    answer["reply_count"] = json!(replies.len());
    answer["reply_users"] = json!(users);
    answer["reply_users_count"] = json!(users.len());
    answer["latest_reply"] = json!(last.ts.to_string());
    answer["subscribed"] = json!(false);
}
