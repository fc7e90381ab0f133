//! The questions we ask X, in its API v2, and how often it lets us.
//!
//! The limits are those of docs.x.com/x-api/fundamentals/rate-limits in autumn 2026, each for one
//! endpoint and one user by whom an application asks. Older plans have others; what the headers say
//! is believed.

use std::time::Duration;

use anyhow::anyhow;
use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::StatusCode;

pub(crate) use super::answers::User;
use super::answers::{Listing, Page, Post, Single};
use super::settings::Hashtag;
use crate::clock::Clock;
use crate::sdk::http::{Options, Request};
use crate::sdk::{Access, ApiClient, CountedBy, RequestLimit, Result, SyncError};

const ME: RequestLimit = per_quarter_of_an_hour("GET /2/users/me", 75);
const USERS_BY: RequestLimit = per_quarter_of_an_hour("GET /2/users/by", 900);
const FOLLOWERS: RequestLimit = per_quarter_of_an_hour("GET /2/users/:id/followers", 300);
const MENTIONS: RequestLimit = per_quarter_of_an_hour("GET /2/users/:id/mentions", 300);
const RECENT_SEARCH: RequestLimit = per_quarter_of_an_hour("GET /2/tweets/search/recent", 300);

const fn per_quarter_of_an_hour(class: &'static str, allowed: u32) -> RequestLimit {
    RequestLimit::new(class, allowed, Duration::from_secs(15 * 60), CountedBy::Credential)
}

/// The most names that can be looked up at once.
pub(crate) const NAMES_PER_LOOKUP: usize = 100;

const USER_FIELDS: &str = "description,location,profile_image_url,public_metrics";
const POST_FIELDS: &str =
    "attachments,author_id,created_at,edit_history_tweet_ids,entities,note_tweet";
const MEDIA_FIELDS: &str = "alt_text,duration_ms,height,media_key,preview_image_url,type,url,width";

/// Shared by the kinds that speak to X.
pub(crate) struct Api {
    pub(super) client: ApiClient,
    pub(super) clock: Clock,
}

impl Api {
    pub(crate) fn at(kind: &'static str, url: &str, options: Options) -> anyhow::Result<Self> {
        let clock = options.clock.clone();
        Ok(Self { client: ApiClient::with(kind, url, options)?, clock })
    }

    /// Whose credential it is.
    pub(crate) async fn me(&self, access: &Access) -> Result<User> {
        let request = self.client.get("2/users/me").query("user.fields", USER_FIELDS);
        let answer = request.by(access).under(&ME).json::<Single<User>>().await?;
        answer
            .body
            .data
            .ok_or_else(|| SyncError::Other(anyhow!("X does not say whose credential this is")))
    }

    /// Those of the names that are somebody's, of at most [`NAMES_PER_LOOKUP`]. A name that cannot be
    /// anybody's spoils the whole.
    pub(crate) async fn users_by(&self, names: &[&str], access: &Access) -> Result<Vec<User>> {
        let request = self
            .client
            .get("2/users/by")
            .query("usernames", names.join(","))
            .query("user.fields", USER_FIELDS)
            .by(access)
            .under(&USERS_BY);
        request.json::<Listing<User>>().await?.body.found()
    }

    /// A page of those who follow, the latest first.
    pub(super) async fn followers(
        &self,
        profile: &str,
        most: u32,
        token: Option<&str>,
        access: &Access,
    ) -> Result<Page<User>> {
        let request = self
            .client
            .get("2/users")
            .segment(profile)
            .segment("followers")
            .query("max_results", most)
            .query("user.fields", USER_FIELDS)
            .query_opt("pagination_token", token)
            .by(access)
            .under(&FOLLOWERS);
        request.json::<Listing<User>>().await?.body.page()
    }

    /// A page of the posts that mention somebody, the latest first; of the last 800 there are.
    pub(super) async fn mentions(
        &self,
        profile: &str,
        most: u32,
        since: Option<DateTime<Utc>>,
        token: Option<&str>,
        access: &Access,
    ) -> Result<Page<Post>> {
        let request = self.client.get("2/users").segment(profile).segment("mentions");
        let request = request.query_opt("pagination_token", token).under(&MENTIONS);
        posts(request, most, since, access).await
    }

    /// A page of the posts of the last seven days that have a hashtag, the latest first.
    pub(super) async fn recent_search(
        &self,
        tag: &Hashtag,
        most: u32,
        since: Option<DateTime<Utc>>,
        token: Option<&str>,
        access: &Access,
    ) -> Result<Page<Post>> {
        let request = self.client.get("2/tweets/search/recent").query("query", format!("#{tag}"));
        let request = request.query_opt("next_token", token).under(&RECENT_SEARCH);
        posts(request, most, since, access).await
    }
}

async fn posts(
    request: Request<'_>,
    most: u32,
    since: Option<DateTime<Utc>>,
    access: &Access,
) -> Result<Page<Post>> {
    let since = since.map(|since| since.to_rfc3339_opts(SecondsFormat::Secs, true));
    let request = request
        .query("max_results", most)
        .query_opt("start_time", since)
        .query("tweet.fields", POST_FIELDS)
        .query("expansions", "attachments.media_keys,author_id")
        .query("media.fields", MEDIA_FIELDS)
        .query("user.fields", USER_FIELDS)
        .by(access);
    request.json::<Listing<Post>>().await?.body.page()
}

/// Whether X answered with this status.
pub(super) fn was_refused(error: &SyncError, status: StatusCode) -> bool {
    error.refused().is_some_and(|refused| refused.status == status)
}
