//! The endpoints, each one look at the guild.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers;
use super::community::{Community, MANAGE_THREADS, READ_MESSAGE_HISTORY};
use super::front::json_answer;
use super::records::{Channel, Id, Kind, ThreadState};
use super::refusals::{
    INVALID_FORM, MISSING_ACCESS, NOT_FOUND, Refusal, UNKNOWN_CHANNEL, UNKNOWN_GUILD,
    UNKNOWN_MEMBER,
};
use super::site::Site;

type Answer = Result<Value, Refusal>;

pub(super) fn routes() -> Router<Arc<Site>> {
    let api = Router::new()
        .route("/users/@me", get(me))
        .route("/applications/@me", get(application))
        .route("/guilds/{guild}", get(guild))
        .route("/guilds/{guild}/channels", get(channels))
        .route("/guilds/{guild}/members", get(members))
        .route("/guilds/{guild}/members/{user}", get(member))
        .route("/guilds/{guild}/threads/active", get(active_threads))
        .route("/channels/{channel}/messages", get(messages))
        .route("/channels/{channel}/threads/archived/public", get(public_threads))
        .route("/channels/{channel}/threads/archived/private", get(private_threads))
        .route("/channels/{channel}/users/@me/threads/archived/private", get(joined_threads));
    Router::new().nest("/api/v10", api).fallback(async || NOT_FOUND)
}

#[derive(Deserialize)]
struct Paging {
    limit: Option<usize>,
    before: Option<String>,
    after: Option<String>,
}

impl Paging {
    /// Out of bounds is an error, as Discord has it.
    fn limit(&self, usual: usize, most: usize) -> Result<usize, Refusal> {
        let limit = self.limit.unwrap_or(usual);
        let fits = (1..=most).contains(&limit);
        fits.then_some(limit).ok_or(INVALID_FORM)
    }

    fn id(cursor: &Option<String>) -> Result<Option<Id>, Refusal> {
        let id = |text: &String| text.parse().map(Id).map_err(|_| INVALID_FORM);
        cursor.as_ref().map(id).transpose()
    }
}

async fn me(State(site): State<Arc<Site>>) -> Response {
    site.answer(|community| Ok(answers::user(community.user(community.bot))))
}

async fn application(State(site): State<Arc<Site>>) -> Response {
    site.answer(|community| Ok(answers::application(community)))
}

async fn guild(State(site): State<Arc<Site>>, Path(id): Path<u64>) -> Response {
    site.answer(|community| {
        check_guild(community, id)?;
        Ok(answers::guild(community))
    })
}

/// Those that the bot may not see, too.
async fn channels(State(site): State<Arc<Site>>, Path(id): Path<u64>) -> Response {
    site.answer(|community| {
        check_guild(community, id)?;
        let channels = community.channels().filter(|channel| channel.thread.is_none());
        Ok(channels.map(|channel| answers::channel(community, channel)).collect())
    })
}

async fn members(
    State(site): State<Arc<Site>>,
    Path(id): Path<u64>,
    Query(paging): Query<Paging>,
) -> Response {
    site.answer(|community| {
        check_guild(community, id)?;
        if !community.members_intent {
            return Err(MISSING_ACCESS);
        }
        let (limit, after) = (paging.limit(1, 1000)?, Paging::id(&paging.after)?);
        let members = community.members().filter(|(user, _)| Some(user.id) > after);
        Ok(members.take(limit).map(|(user, member)| answers::member(user, member)).collect())
    })
}

async fn member(State(site): State<Arc<Site>>, Path((id, user)): Path<(u64, u64)>) -> Response {
    site.answer(|community| {
        check_guild(community, id)?;
        let found = community.members().find(|(account, _)| account.id == Id(user));
        let (account, membership) = found.ok_or(UNKNOWN_MEMBER)?;
        Ok(answers::member(account, membership))
    })
}

async fn active_threads(State(site): State<Arc<Site>>, Path(id): Path<u64>) -> Response {
    site.answer(|community| {
        check_guild(community, id)?;
        let active = community.threads().filter(|(_, thread)| !thread.archived);
        let active = active.map(|(channel, _)| channel);
        Ok(answers::threads(community, active.filter(|channel| community.bot_may_see(channel))))
    })
}

/// Newest first, also of those after a cursor; then the ones next to it.
async fn messages(
    State(site): State<Arc<Site>>,
    Path(id): Path<u64>,
    Query(paging): Query<Paging>,
) -> Response {
    site.answer(|community| {
        let place = find(community, id)?;
        let (before, after) = (Paging::id(&paging.before)?, Paging::id(&paging.after)?);
        let limit = paging.limit(50, 100)?;
        if community.bot_permissions(place) & READ_MESSAGE_HISTORY == 0 {
            return Ok(json!([]));
        }
        let between = community.messages(place.id).filter(|message| {
            before.is_none_or(|before| message.id < before) && Some(message.id) > after
        });
        let mut page: Vec<_> = match after {
            Some(_) => between.take(limit).collect(),
            None => between.rev().take(limit).collect(),
        };
        page.sort_by_key(|message| std::cmp::Reverse(message.id));
        Ok(page.into_iter().map(|message| answers::message(community, message)).collect())
    })
}

async fn public_threads(
    State(site): State<Arc<Site>>,
    Path(id): Path<u64>,
    Query(paging): Query<Paging>,
) -> Response {
    site.answer(|community| {
        let channel = find(community, id)?;
        archived(community, channel, &paging, &|thread, _| thread.kind != Kind::PrivateThread)
    })
}

async fn private_threads(
    State(site): State<Arc<Site>>,
    Path(id): Path<u64>,
    Query(paging): Query<Paging>,
) -> Response {
    site.answer(|community| {
        let channel = find(community, id)?;
        if community.bot_permissions(channel) & MANAGE_THREADS == 0 {
            return Err(MISSING_ACCESS);
        }
        archived(community, channel, &paging, &|thread, _| thread.kind == Kind::PrivateThread)
    })
}

/// In the order of their ids, and by a cursor that is one.
async fn joined_threads(
    State(site): State<Arc<Site>>,
    Path(id): Path<u64>,
    Query(paging): Query<Paging>,
) -> Response {
    site.answer(|community| {
        let channel = find(community, id)?;
        let before = Paging::id(&paging.before)?;
        let mut threads: Vec<_> = archived_in(community, channel, &|_, state| state.joined);
        threads.retain(|(thread, _)| before.is_none_or(|before| thread.id < before));
        threads.sort_by_key(|(thread, _)| std::cmp::Reverse(thread.id));
        Ok(page(community, &threads, paging.limit(50, 100)?))
    })
}

type Wanted<'a> = dyn Fn(&Channel, &ThreadState) -> bool + 'a;

/// The last archived first, by a cursor that is an instant.
fn archived(
    community: &Community,
    channel: &Channel,
    paging: &Paging,
    wanted: &Wanted<'_>,
) -> Answer {
    let instant = |text: &String| text.parse::<DateTime<Utc>>().map_err(|_| INVALID_FORM);
    let before = paging.before.as_ref().map(instant).transpose()?;
    let mut threads = archived_in(community, channel, wanted);
    threads.retain(|(_, state)| before.is_none_or(|before| state.turned_at < before));
    threads.sort_by_key(|(thread, state)| std::cmp::Reverse((state.turned_at, thread.id)));
    Ok(page(community, &threads, paging.limit(50, 100)?))
}

fn archived_in<'a>(
    community: &'a Community,
    channel: &Channel,
    wanted: &Wanted<'_>,
) -> Vec<(&'a Channel, &'a ThreadState)> {
    let in_channel = community.threads().filter(|(thread, _)| thread.parent == Some(channel.id));
    in_channel.filter(|(thread, state)| state.archived && wanted(thread, state)).collect()
}

fn page(community: &Community, threads: &[(&Channel, &ThreadState)], limit: usize) -> Value {
    let page = threads.iter().take(limit).map(|(thread, _)| *thread);
    let mut json = answers::threads(community, page);
    json["has_more"] = json!(threads.len() > limit);
    json
}

fn check_guild(community: &Community, id: u64) -> Result<(), Refusal> {
    let is_in = community.guild == Id(id) && community.members.contains_key(&community.bot);
    is_in.then_some(()).ok_or(UNKNOWN_GUILD)
}

fn find(community: &Community, id: u64) -> Result<&Channel, Refusal> {
    let channel = community.channels().find(|channel| channel.id == Id(id));
    let channel = channel.ok_or(UNKNOWN_CHANNEL)?;
    if community.bot_may_see(channel) { Ok(channel) } else { Err(MISSING_ACCESS) }
}

impl Site {
    fn answer(&self, look: impl FnOnce(&Community) -> Answer) -> Response {
        match self.look(look) {
            Ok(json) => json_answer(json.to_string()),
            Err(refusal) => refusal.into_response(),
        }
    }
}
