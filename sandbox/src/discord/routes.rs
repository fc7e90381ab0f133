//! The endpoints, each one look at the guild.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers;
use super::community::{Community, MANAGE_THREADS, READ_MESSAGE_HISTORY};
use super::records::{Channel, Id, Kind, ThreadState};
use super::refusals::{
    INVALID_FORM, MISSING_ACCESS, NOT_FOUND, Refusal, UNKNOWN_CHANNEL, UNKNOWN_GUILD,
    UNKNOWN_MEMBER, json_answer,
};
use super::{API, Rules};
use crate::platform::SiteState;

pub(super) fn routes() -> Router<SiteState<Rules>> {
    let api = Router::new()
        .route("/users/@me", endpoint(me))
        .route("/applications/@me", endpoint(application))
        .route("/guilds/{guild}", endpoint(guild))
        .route("/guilds/{guild}/channels", endpoint(channels))
        .route("/guilds/{guild}/members", endpoint(members))
        .route("/guilds/{guild}/members/{user}", endpoint(member))
        .route("/guilds/{guild}/threads/active", endpoint(active_threads))
        .route("/channels/{channel}/messages", endpoint(messages))
        .route("/channels/{channel}/threads/archived/public", endpoint(public_threads))
        .route("/channels/{channel}/threads/archived/private", endpoint(private_threads))
        .route("/channels/{channel}/users/@me/threads/archived/private", endpoint(joined_threads));
    Router::new().nest(API, api).fallback(async || NOT_FOUND)
}

type Answer = Result<Value, Refusal>;

/// What was asked, and of whom.
struct Asked<'a> {
    community: &'a Community,
    /// Those in the path.
    ids: &'a [u64],
    paging: &'a Paging,
}

fn endpoint(answer: fn(&Asked<'_>) -> Answer) -> MethodRouter<SiteState<Rules>> {
    get(
        async move |State(site): State<SiteState<Rules>>,
                    Path(ids): Path<Vec<u64>>,
                    Query(paging): Query<Paging>| {
            let ask = |community: &_| answer(&Asked { community, ids: &ids, paging: &paging });
            site.look(ask).map_or_else(IntoResponse::into_response, |json| json_answer(&json))
        },
    )
}

impl<'a> Asked<'a> {
    /// Everything is of the one guild there is, as long as the bot is in it.
    fn guild(&self) -> Result<&'a Community, Refusal> {
        let community = self.community;
        let is_in = self.ids.first() == Some(&community.guild.0)
            && community.members.contains_key(&community.bot);
        is_in.then_some(community).ok_or(UNKNOWN_GUILD)
    }

    fn channel(&self) -> Result<&'a Channel, Refusal> {
        let mut channels = self.community.channels();
        let channel = channels.find(|channel| self.ids.first() == Some(&channel.id.0));
        let channel = channel.ok_or(UNKNOWN_CHANNEL)?;
        if self.community.bot_may_see(channel) { Ok(channel) } else { Err(MISSING_ACCESS) }
    }
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

fn me(asked: &Asked<'_>) -> Answer {
    Ok(answers::user(asked.community.user(asked.community.bot)))
}

fn application(asked: &Asked<'_>) -> Answer {
    Ok(answers::application(asked.community))
}

fn guild(asked: &Asked<'_>) -> Answer {
    asked.guild().map(answers::guild)
}

/// Those that the bot may not see, too.
fn channels(asked: &Asked<'_>) -> Answer {
    let guild = asked.guild()?;
    let channels = guild.channels().filter(|channel| channel.thread.is_none());
    Ok(channels.map(|channel| answers::channel(guild, channel)).collect())
}

fn members(asked: &Asked<'_>) -> Answer {
    let guild = asked.guild()?;
    if !guild.members_intent {
        return Err(MISSING_ACCESS);
    }
    let (limit, after) = (asked.paging.limit(1, 1000)?, Paging::id(&asked.paging.after)?);
    let members = guild.members().filter(|(user, _)| Some(user.id) > after);
    Ok(members.take(limit).map(|(user, member)| answers::member(user, member)).collect())
}

fn member(asked: &Asked<'_>) -> Answer {
    let mut members = asked.guild()?.members();
    let found = members.find(|(account, _)| asked.ids.last() == Some(&account.id.0));
    found.map(|(account, membership)| answers::member(account, membership)).ok_or(UNKNOWN_MEMBER)
}

fn active_threads(asked: &Asked<'_>) -> Answer {
    let guild = asked.guild()?;
    let active = guild.threads().filter(|(_, thread)| !thread.archived);
    let active = active.map(|(channel, _)| channel);
    Ok(answers::threads(guild, active.filter(|channel| guild.bot_may_see(channel))))
}

/// Newest first, also of those after a cursor; then the ones next to it.
fn messages(asked: &Asked<'_>) -> Answer {
    let Asked { community, paging, .. } = asked;
    let place = asked.channel()?;
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
}

fn public_threads(asked: &Asked<'_>) -> Answer {
    archived(asked, &|thread, _| thread.kind != Kind::PrivateThread)
}

fn private_threads(asked: &Asked<'_>) -> Answer {
    if asked.community.bot_permissions(asked.channel()?) & MANAGE_THREADS == 0 {
        return Err(MISSING_ACCESS);
    }
    archived(asked, &|thread, _| thread.kind == Kind::PrivateThread)
}

/// In the order of their ids, and by a cursor that is one.
fn joined_threads(asked: &Asked<'_>) -> Answer {
    let mut threads = archived_in(asked, &|_, state| state.joined)?;
    let before = Paging::id(&asked.paging.before)?;
    threads.retain(|(thread, _)| before.is_none_or(|before| thread.id < before));
    threads.sort_by_key(|(thread, _)| std::cmp::Reverse(thread.id));
    page(asked, &threads)
}

type Wanted<'a> = dyn Fn(&Channel, &ThreadState) -> bool + 'a;

/// The last archived first, by a cursor that is an instant.
fn archived(asked: &Asked<'_>, wanted: &Wanted<'_>) -> Answer {
    let mut threads = archived_in(asked, wanted)?;
    let instant = |text: &String| text.parse::<DateTime<Utc>>().map_err(|_| INVALID_FORM);
    let before = asked.paging.before.as_ref().map(instant).transpose()?;
    threads.retain(|(_, state)| before.is_none_or(|before| state.turned_at < before));
    threads.sort_by_key(|(thread, state)| std::cmp::Reverse((state.turned_at, thread.id)));
    page(asked, &threads)
}

type Threads<'a> = Vec<(&'a Channel, &'a ThreadState)>;

fn archived_in<'a>(asked: &Asked<'a>, wanted: &Wanted<'_>) -> Result<Threads<'a>, Refusal> {
    let channel = asked.channel()?.id;
    let threads = asked.community.threads().filter(|(thread, _)| thread.parent == Some(channel));
    Ok(threads.filter(|(thread, state)| state.archived && wanted(thread, state)).collect())
}

fn page(asked: &Asked<'_>, threads: &Threads<'_>) -> Answer {
    let limit = asked.paging.limit(50, 100)?;
    let page = threads.iter().take(limit).map(|(thread, _)| *thread);
    let mut json = answers::threads(asked.community, page);
    json["has_more"] = json!(threads.len() > limit);
    Ok(json)
}
