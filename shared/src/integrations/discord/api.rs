//! The questions we ask Discord.
//!
//! A bot may send fifty requests a second, and so many to each route as its headers say: every
//! answer tells what is left of the bucket that it counted against, and when that is full again.
//! Buckets belong to a guild or channel, and to a route or several: so each route has a limit of its
//! own here for each of them, and what stands in the code only holds until the first answer. Which
//! routes share a bucket, as `X-RateLimit-Bucket` would tell, is not read: what one of them spends, the
//! others learn by their next answer, at worst by a refusal, which costs no attempt.
//!
//! A 403 is about a permission that the bot has not, for one channel or one guild.

use std::borrow::Cow;
use std::time::Duration;

use reqwest::StatusCode;

use super::payloads::{Application, Guild, GuildMember, ListedChannel, Message, ThreadList, User};
use super::places::{Archive, Part};
use super::{Discord, Snowflake};
use crate::sdk::http::{Options, Request};
use crate::sdk::{Access, ApiClient, CountedBy, Integration, RequestLimit, Result, SyncError};

/// The most that Discord gives at once.
pub(super) const MESSAGES_PER_PAGE: usize = 100;
pub(super) const MEMBERS_PER_PAGE: usize = 1000;
const THREADS_PER_PAGE: usize = 100;

const SECOND: Duration = Duration::from_secs(1);
const ALL_REQUESTS: RequestLimit =
    RequestLimit::new("all requests", 50, SECOND, CountedBy::Credential);

pub(super) struct Api(ApiClient);

impl Api {
    pub(super) fn at(url: &str, options: Options) -> anyhow::Result<Self> {
        let options = Options { scheme: "Bot", ..options };
        Ok(Self(ApiClient::with(Discord::KIND, url, options)?))
    }

    /// The bot itself.
    pub(super) async fn me(&self, access: &Access) -> Result<User> {
        Ok(self.ask("users/@me", access).json().await?.body)
    }

    pub(super) async fn application(&self, access: &Access) -> Result<Application> {
        Ok(self.ask("applications/@me", access).json().await?.body)
    }

    /// `None`: there is none of this id.
    pub(super) async fn guild(&self, guild: Snowflake, access: &Access) -> Result<Option<Guild>> {
        Ok(self.ask(&format!("guilds/{guild}"), access).json_or_none().await?.body)
    }

    pub(super) async fn member(
        &self,
        guild: Snowflake,
        user: Snowflake,
        access: &Access,
    ) -> Result<GuildMember> {
        let route = format!("guilds/{guild}/members/{user}");
        Ok(self.ask(&route, access).json().await?.body)
    }

    /// All of them at once, also those that the bot may not see. Threads are not among them.
    pub(super) async fn channels(
        &self,
        guild: Snowflake,
        access: &Access,
    ) -> Result<Vec<ListedChannel>> {
        Ok(self.ask(&format!("guilds/{guild}/channels"), access).json().await?.body)
    }

    /// All of them at once: a guild has a thousand at the most.
    pub(super) async fn active_threads(
        &self,
        guild: Snowflake,
        access: &Access,
    ) -> Result<Vec<ListedChannel>> {
        let request = self.ask(&format!("guilds/{guild}/threads/active"), access);
        Ok(request.json::<ThreadList>().await?.body.threads)
    }

    /// A page of a channel's archived threads, the last archived first; of those joined, the newest.
    /// `None`: the channel is gone.
    pub(super) async fn archived_threads(
        &self,
        channel: Snowflake,
        archive: Archive,
        before: Option<&str>,
        access: &Access,
    ) -> Result<Option<ThreadList>> {
        let route = match archive {
            Archive::Public => format!("channels/{channel}/threads/archived/public"),
            Archive::Private => format!("channels/{channel}/threads/archived/private"),
            Archive::JoinedPrivate => {
                format!("channels/{channel}/users/@me/threads/archived/private")
            }
        };
        let request = self.ask(&route, access).query("limit", THREADS_PER_PAGE);
        Ok(request.query_opt("before", before).json_or_none().await?.body)
    }

    /// A page of the messages of a channel or a thread, the newest first whichever part is asked for.
    /// `None`: it is gone.
    pub(super) async fn messages(
        &self,
        place: Snowflake,
        part: Part,
        access: &Access,
    ) -> Result<Option<Vec<Message>>> {
        let request = self.ask(&format!("channels/{place}/messages"), access);
        let request = request.query("limit", MESSAGES_PER_PAGE);
        let request = match part {
            Part::Newest => request,
            Part::Before(id) => request.query("before", id),
            Part::After(id) => request.query("after", id),
        };
        Ok(request.json_or_none().await?.body)
    }

    /// A page of the guild's members in the order of their ids.
    pub(super) async fn members(
        &self,
        guild: Snowflake,
        after: Option<Snowflake>,
        access: &Access,
    ) -> Result<Vec<GuildMember>> {
        let request = self.ask(&format!("guilds/{guild}/members"), access);
        let request = request.query("limit", MEMBERS_PER_PAGE).query_opt("after", after);
        Ok(request.json().await?.body)
    }

    fn ask(&self, route: &str, access: &Access) -> Request<'_> {
        let request = self.0.get(route).by(access);
        request.under(&limit_of(route)).under(&ALL_REQUESTS)
    }
}

/// Five a second is the example of Discord's description, which gives no numbers else.
fn limit_of(route: &str) -> RequestLimit {
    RequestLimit {
        class: Cow::Owned(route.to_owned()),
        allowed: 5,
        per: SECOND,
        counted_by: CountedBy::Credential,
    }
}

pub(super) fn is_forbidden(error: &SyncError) -> bool {
    error.refused().is_some_and(|refused| refused.status == StatusCode::FORBIDDEN)
}
