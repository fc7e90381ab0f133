//! What each method answers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answers::{channel_answer, message_answer, user_answer};
use super::grants::Distribution;
use super::records::{Channel, ChannelId, Kind, Message, Ts, User, UserId};
use super::routes::No;
use super::workspace::{self, Workspace};

type Parameters = BTreeMap<String, String>;
type Answer = Result<Value, No>;

pub(super) fn answer(
    workspace: &mut Workspace,
    method: &str,
    parameters: &Parameters,
    authorization: Option<&str>,
) -> Answer {
    if method == "oauth.v2.access" {
        return renew(workspace, parameters);
    }
    workspace.grants.admit(authorization).map_err(No::Because)?;
    let asked = Asked { workspace, parameters };
    match method {
        "auth.test" => Ok(asked.auth_test()),
        "conversations.list" => asked.conversations(),
        "conversations.info" => Ok(json!({ "channel": channel_answer(asked.channel()?) })),
        "conversations.history" => asked.history(),
        "conversations.replies" => asked.replies(),
        "users.list" => asked.users(),
        "users.info" => asked.user(),
        _ => Err(No::Because("unknown_method")),
    }
}

fn renew(workspace: &mut Workspace, parameters: &Parameters) -> Answer {
    if parameters.get("grant_type").map(String::as_str) != Some("refresh_token") {
        return Err(No::Because("invalid_grant_type"));
    }
    let refresh_token = parameters.get("refresh_token").map_or("", String::as_str);
    workspace.grants.rotate(refresh_token).map_err(No::Because)?;
    let grants = &workspace.grants;
    Ok(json!({
        "access_token": grants.token, "refresh_token": grants.refresh_token,
        "expires_in": 43_200, "token_type": "bot",
    }))
}

struct Asked<'a> {
    workspace: &'a Workspace,
    parameters: &'a Parameters,
}

impl<'a> Asked<'a> {
    fn auth_test(&self) -> Value {
        json!({
            "url": "https://acme.slack.com/", "team": "Acme", "team_id": "T0ACME000",
            "user": "millrace", "user_id": workspace::app().0, "bot_id": "B0MILLRACE",
        })
    }

    /// The app's own private channels are listed, and everybody's public ones.
    fn conversations(&self) -> Answer {
        let types = self.text("types").unwrap_or("public_channel");
        let (public, private) =
            (types.contains("public_channel"), types.contains("private_channel"));
        if public {
            self.need("channels:read")?;
        }
        if private {
            self.need("groups:read")?;
        }
        let no_archived = self.text("exclude_archived") == Some("true");
        let is_listed = |channel: &&Channel| match channel.is_private {
            true => private && channel.has_app,
            false => public,
        };
        let channels = self.workspace.channels().filter(is_listed);
        let channels = channels.filter(|channel| !(no_archived && channel.is_archived));
        let (page, next) = self.page(channels.collect(), |channel| channel.id.0.clone(), 100)?;
        let channels: Vec<_> = page.into_iter().map(channel_answer).collect();
        Ok(json!({ "channels": channels, "response_metadata": { "next_cursor": next } }))
    }

    /// The newest first; only the last page has no cursor, nor a place for one.
    fn history(&self) -> Answer {
        let channel = self.open_channel()?;
        let (oldest, latest) = (self.ts("oldest")?, self.ts("latest")?);
        let messages = channel.messages().rev().filter(|it| it.stands_in_the_channel());
        let messages = messages
            .filter(|it| oldest.is_none_or(|oldest| it.ts > oldest))
            .filter(|it| latest.is_none_or(|latest| it.ts < latest));
        let (page, next) = self.page(messages.collect(), |it| it.ts.to_string(), self.most())?;
        Ok(messages_answer(channel, &page, &next))
    }

    /// The oldest first, and the first message before them.
    fn replies(&self) -> Answer {
        let channel = self.open_channel()?;
        let root = self.ts("ts")?.ok_or(No::Because("invalid_arguments"))?;
        let root = channel.messages.get(&root).ok_or(No::Because("thread_not_found"))?;
        let oldest = self.ts("oldest")?;
        let replies: Vec<_> = channel
            .replies(root.ts)
            .filter(|it| oldest.is_none_or(|oldest| it.ts > oldest))
            .collect();
        let (page, next) = self.page(replies, |it| it.ts.to_string(), self.most())?;
        let is_first = self.text("cursor").is_none();
        let shows_root = is_first || self.workspace.roots_on_every_page;
        let root = shows_root.then_some(root);
        let messages: Vec<_> = root.into_iter().chain(page).collect();
        Ok(messages_answer(channel, &messages, &next))
    }

    fn users(&self) -> Answer {
        self.need("users:read")?;
        let listed = |user: &&User| !matches!(user.kind, Kind::Stranger | Kind::Invisible);
        let users = self.workspace.users().filter(listed).collect();
        let (page, next) = self.page(users, |user: &&User| user.id.0.clone(), 100)?;
        let members: Vec<_> = page.into_iter().map(|user| self.shown(user)).collect();
        let metadata = json!({ "next_cursor": next });
        Ok(json!({ "members": members, "cache_ts": 1, "response_metadata": metadata }))
    }

    fn user(&self) -> Answer {
        self.need("users:read")?;
        let id = UserId(self.text("user").unwrap_or_default().to_owned());
        let user = self.workspace.users.get(&id).ok_or(No::Because("user_not_found"))?;
        match user.kind {
            Kind::Invisible => Err(No::Because("user_not_visible")),
            _ => Ok(json!({ "user": self.shown(user) })),
        }
    }

    fn shown(&self, user: &User) -> Value {
        user_answer(user, self.need("users:read.email").is_ok())
    }

    /// One that the app may know of.
    fn channel(&self) -> Result<&'a Channel, No> {
        let id = ChannelId(self.text("channel").unwrap_or_default().to_owned());
        let channel = self.workspace.channels.get(&id);
        let channel = channel.filter(|channel| channel.has_app || !channel.is_private);
        channel.ok_or(No::Because("channel_not_found"))
    }

    fn open_channel(&self) -> Result<&'a Channel, No> {
        let channel = self.channel()?;
        self.need(if channel.is_private { "groups:history" } else { "channels:history" })?;
        if channel.has_app { Ok(channel) } else { Err(No::Because("not_in_channel")) }
    }

    fn need(&self, scope: &'static str) -> Result<(), No> {
        self.workspace.grants.need(scope).map_err(No::Missing)
    }

    /// Messages on a page when nothing is said.
    fn most(&self) -> usize {
        if self.workspace.grants.distribution == Distribution::Unlisted { 15 } else { 100 }
    }

    /// From the entry on that the cursor names; and the cursor of what comes after, "" for nothing.
    fn page<T>(
        &self,
        all: Vec<T>,
        key: impl Fn(&T) -> String,
        usual: usize,
    ) -> Result<(Vec<T>, String), No> {
        let limit = match self.text("limit") {
            None => usual,
            Some(limit) => limit.parse().map_err(|_| No::Because("invalid_limit"))?,
        };
        if !(1..=1000).contains(&limit) {
            return Err(No::Because("invalid_limit"));
        }
        // An unlisted app gets no more however much it asks for.
        let limit = if usual == 15 { limit.min(15) } else { limit };
        let begin = match self.text("cursor") {
            None => 0,
            Some(cursor) => all
                .iter()
                .position(|item| cursor_to(&key(item)) == cursor)
                .ok_or(No::Because("invalid_cursor"))?,
        };
        let next = all.get(begin + limit).map(|item| cursor_to(&key(item))).unwrap_or_default();
        Ok((all.into_iter().skip(begin).take(limit).collect(), next))
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.parameters.get(name).map(String::as_str)
    }

    fn ts(&self, name: &'static str) -> Result<Option<Ts>, No> {
        let error = if name == "latest" { "invalid_ts_latest" } else { "invalid_ts_oldest" };
        let Some(text) = self.text(name) else { return Ok(None) };
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let seconds = seconds.parse().map_err(|_| No::Because(error))?;
        let fraction = fraction.parse().map_err(|_| No::Because(error))?;
        Ok(Some(Ts { seconds, fraction }))
    }
}

/// Not to be understood, and with characters that an address must not have as they are.
fn cursor_to(key: &str) -> String {
    let turned: String = key.chars().rev().collect();
    format!("bmV4dF9/{turned}+{}==", key.len())
}

/// Of a page of messages Slack says where the next one begins only if there is one.
fn messages_answer(channel: &Channel, page: &[&Message], next: &str) -> Value {
    let messages: Vec<_> = page.iter().map(|message| message_answer(channel, message)).collect();
    let mut answer = json!({ "messages": messages, "has_more": !next.is_empty() });
    if !next.is_empty() {
        answer["response_metadata"] = json!({ "next_cursor": next });
    }
    answer
}
