//! How we ask GitHub: queries to its GraphQL endpoint, and the few things that only REST tells.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Github;
use super::app::{self, InstallationToken, InstalledOn};
use super::graphql::{Envelope, Reply};
use super::queries::Query;
use crate::clock::Clock;
use crate::sdk::http::Options;
use crate::sdk::{
    Access, ApiClient, CountedBy, Credential, GithubApp, Integration, RequestLimit, Result, Said,
    SyncError,
};

const HOUR: Duration = Duration::from_secs(60 * 60);
const MINUTE: Duration = Duration::from_secs(60);

/// Points. Larger installations have more; GitHub says so beside every answer.
const GRAPHQL: RequestLimit = RequestLimit::new("graphql", 5000, HOUR, CountedBy::Credential);
/// Of the secondary limits the one that is counted and documented: every query is a point here,
/// whatever it costs above.
const GRAPHQL_BURST: RequestLimit =
    RequestLimit::new("graphql secondary", 2000, MINUTE, CountedBy::Credential);
/// What is not GraphQL.
const CORE: RequestLimit = RequestLimit::new("core", 5000, HOUR, CountedBy::Credential);

/// The most that GitHub lists at once.
pub(super) const REPOS_PER_PAGE: usize = 100;

const HEADERS: &[(&str, &str)] =
    &[("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")];

pub(super) struct Api {
    http: ApiClient,
    clock: Clock,
}

impl Api {
    pub(super) fn at(url: &str, options: Options) -> anyhow::Result<Self> {
        let clock = options.clock.clone();
        let options = Options { headers: HEADERS, ..options };
        Ok(Self { http: ApiClient::with(Github::KIND, url, options)?, clock })
    }

    pub(super) async fn query<T: DeserializeOwned>(
        &self,
        query: Query,
        variables: Value,
        access: &Access,
    ) -> Result<Reply<T>> {
        let cost = query.cost(&variables);
        let body = json!({ "query": query.text, "variables": variables });
        let request = self.http.post("graphql").body(&body).repeatable();
        let request = request.by(access).costing(cost, &GRAPHQL).under(&GRAPHQL_BURST);
        let answer = request.json::<Envelope<T>>().await?;
        if let Some(said) = answer.body.said(self.clock.now()) {
            access.heed(&GRAPHQL, said).await;
        }
        let reply = Reply::of(answer);
        // Said under status 200, where nobody else reads it.
        if let Err(SyncError::RateLimited { retry_after }) = reply {
            access.heed(&GRAPHQL, Said { refused_for: Some(retry_after), ..Said::default() }).await;
        }
        reply
    }

    /// A page of the repositories that the credential sees, counted from one, and how many there
    /// are, where GitHub says so.
    pub(super) async fn repositories(&self, page: u32, access: &Access) -> Result<Listed> {
        let installation = matches!(&*access.credential().await?, Credential::GithubApp(_));
        let path = if installation { "installation/repositories" } else { "user/repos" };
        let request = self.http.get(path).query("per_page", REPOS_PER_PAGE).query("page", page);
        let request = request.by(access).under(&CORE);
        Ok(match installation {
            true => request.json::<Listed>().await?.body,
            false => {
                let repositories = request.json().await?.body;
                Listed { total_count: None, repositories }
            }
        })
    }

    /// Whose token it is; of an installation, whose account it was installed on.
    pub(super) async fn owner(&self, access: &Access) -> Result<InstalledOn> {
        match &*access.credential().await? {
            Credential::GithubApp(app) => {
                Ok(app::installation(&self.http, app, self.clock.now()).await?.account)
            }
            _ => Ok(self.http.get("user").by(access).under(&CORE).json().await?.body),
        }
    }

    pub(super) async fn renewed(&self, app: &GithubApp) -> Result<Credential> {
        let InstallationToken { token, expires_at } =
            app::installation_token(&self.http, app, self.clock.now()).await?;
        Ok(Credential::GithubApp(GithubApp {
            access_token: Some(token),
            expires_at: Some(expires_at),
            ..app.clone()
        }))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) total_count: Option<u64>,
    pub(super) repositories: Vec<ListedRepo>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ListedRepo {
    pub(super) id: u64,
    pub(super) node_id: String,
    pub(super) full_name: String,
    pub(super) description: Option<String>,
}
