//! What we make of messages and users: activities and members.

use serde_json::{Value, json};

use super::answers::{Message, User, Workspace};
use super::ts::Ts;
use super::{Channel, Slack};
use crate::sdk::{Activity, Identity, Integration, Member, attributes, said};

/// A thread, as its replies tell of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ThreadOf<'a> {
    pub(super) root: Ts,
    /// What its first message says, if we have seen it.
    pub(super) text: Option<&'a str>,
}

/// Where things happen.
pub(super) struct Scene<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) channel: &'a Channel,
}

impl Scene<'_> {
    /// Written by this user; the body has names in it already.
    pub(super) fn message(
        &self,
        message: Message,
        user: &str,
        body: String,
        thread: Option<ThreadOf<'_>>,
    ) -> Activity {
        let thread = thread.filter(|thread| thread.root != message.ts);
        let about_thread = thread.map_or(
            json!(false),
            |thread| json!({ "id": thread.root, "body": thread.text.unwrap_or_default() }),
        );
        Activity {
            source_parent_id: thread.map(|thread| self.id(thread.root)),
            body: Some(body).filter(|body| !body.is_empty()),
            attributes: attributes([
                ("thread", about_thread),
                ("reactions", json!(message.reactions)),
                ("attachments", Value::Array(message.attachments)),
            ]),
            score: 6,
            is_contribution: true,
            ..self.did("message", self.id(message.ts), message.ts, user)
        }
    }

    /// Once for each user and channel, since people leave and come back.
    pub(super) fn joined(&self, at: Ts, user: &str) -> Activity {
        let id = format!("{}:{user}", self.channel.id);
        Activity { score: 3, ..self.did("channel_joined", id, at, user) }
    }

    /// A timestamp is unique in its channel only.
    fn id(&self, ts: Ts) -> String {
        format!("{}:{ts}", self.channel.id)
    }

    fn did(&self, kind: &str, id: String, ts: Ts, user: &str) -> Activity {
        Activity {
            url: Some(self.address(ts)),
            channel: Some(self.channel.name.clone()),
            ..Activity::by(Member::of(account(user, "")), kind, id, ts.second())
        }
    }

    fn address(&self, ts: Ts) -> String {
        let digits = ts.to_string().replace('.', "");
        let home = self.workspace.url.trim_end_matches('/');
        format!("{home}/archives/{}/p{digits}", self.channel.id)
    }
}

pub(super) fn member(user: User) -> Member {
    let profile = user.profile;
    let display_name = said(profile.real_name);
    let mut member = Member { display_name, ..Member::of(account(&user.id, &user.name)) }
        .attribute("sourceId", Some(user.id))
        .attribute("avatarUrl", said(profile.image_72))
        .attribute("timezone", said(user.tz_label))
        .attribute("jobTitle", said(profile.title));
    member.emails.extend(said(profile.email));
    member
}

/// Found by the id; messages do not say the handle, which is no harm.
fn account(id: &str, name: &str) -> Identity {
    Identity {
        platform: Slack::PLATFORM.to_owned(),
        username: name.to_owned(),
        source_id: Some(id.to_owned()),
    }
}
