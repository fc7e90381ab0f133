//! The five questions we ask the site.
//!
//! Its API has two versions, told apart by the `Accept` header. We say nothing special and get the
//! first, since the second looks organizations up by number only.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Devto;
use super::settings::Source;
use super::threads::Tree;
use crate::sdk::http::{Answer, Options, Request};
use crate::sdk::{Access, ApiClient, CountedBy, Integration, RequestLimit, Result};

/// The most the site gives at once.
const ARTICLES_PER_PAGE: u32 = 1000;

/// Counted by address, so by all our requests.
const LIMIT: RequestLimit =
    RequestLimit::new("all requests", 3, Duration::from_secs(1), CountedBy::Application);

pub(super) struct Api {
    client: ApiClient,
    limit: RequestLimit,
}

impl Api {
    pub(super) fn at(url: &str, options: Options) -> anyhow::Result<Self> {
        Ok(Self { client: ApiClient::with(Devto::KIND, url, options)?, limit: LIMIT })
    }

    pub(super) fn allowing(self, per_second: u32) -> Self {
        Self { limit: RequestLimit { allowed: per_second, ..self.limit }, ..self }
    }

    /// How many requests the site takes from us meanwhile.
    pub(super) fn requests_in(&self, time: Duration) -> usize {
        let windows = time.div_duration_f64(self.limit.per);
        (f64::from(self.limit.allowed) * windows) as usize
    }

    /// A page of the articles of a user or an organization, counted from one. `None`: no such
    /// organization; of an unknown user the list is merely empty.
    pub(super) async fn articles(
        &self,
        of: &Source,
        page: u32,
        access: &Access,
    ) -> Result<Answer<Option<Vec<Article>>>> {
        let request = match of {
            Source::Organization(name) => {
                self.ask("api/organizations", access).segment(name.as_str()).segment("articles")
            }
            Source::User(name) => self.ask("api/articles", access).query("username", name),
        };
        request.query("page", page).query("per_page", ARTICLES_PER_PAGE).json_or_none().await
    }

    /// All comments on an article; `None`: the article is gone.
    pub(super) async fn comments(
        &self,
        article: u64,
        access: &Access,
    ) -> Result<Answer<Option<Tree>>> {
        self.ask("api/comments", access).query("a_id", article).json_or_none().await
    }

    pub(super) async fn profile(
        &self,
        user_id: u64,
        access: &Access,
    ) -> Result<Answer<Option<Profile>>> {
        self.ask("api/users", access).segment(&user_id.to_string()).json_or_none().await
    }

    pub(super) async fn owner(
        &self,
        source: &Source,
        access: &Access,
    ) -> Result<Answer<Option<Owner>>> {
        let request = match source {
            Source::Organization(name) => {
                self.ask("api/organizations", access).segment(name.as_str())
            }
            Source::User(name) => self.ask("api/users/by_username", access).query("url", name),
        };
        request.json_or_none().await
    }

    fn ask(&self, path: &str, access: &Access) -> Request<'_> {
        self.client.get(path).by(access).under(&self.limit)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Article {
    pub(super) id: u64,
    pub(super) title: String,
    pub(super) url: String,
    #[serde(flatten)]
    pub(super) listed: Listed,
}

/// What tells whether there is anything new to read below an article.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Listed {
    pub(super) last_comment_at: Option<DateTime<Utc>>,
    pub(super) comments_count: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct Profile {
    pub(super) id: u64,
    pub(super) username: String,
    pub(super) name: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) location: Option<String>,
    pub(super) twitter_username: Option<String>,
    pub(super) github_username: Option<String>,
}

/// Whose articles we follow, in their own words.
#[derive(Debug, Deserialize)]
pub(super) struct Owner {
    pub(super) name: String,
    pub(super) summary: Option<String>,
}
