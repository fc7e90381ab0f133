//! GitHub: who watches, forks, asks, answers, proposes, reviews and discusses in repositories.
//!
//! ```text
//! the repositories that the credential sees, or those that are named
//!   └─ a glance at many at once: the newest of each of their five lists
//!        └─ stargazers · forks · pull requests · issues · discussions, those with anything new
//!             ├─ what is below an item and did not come with it: comments, reviews, …
//!             └─ about its people: who follows them, what their companies are
//! ```
//!
//! All lists come the newest first: stars by when they were given, forks by when they were made, the
//! rest by its last update. A list is read as far as its first item said before we began, once all
//! of it has been read; a check reads down to there and stops. Whatever moves while we read is on
//! top of the list then, and the next check's. So a check with nothing new costs one query for forty
//! repositories, and one request more for each hundred of them where they are not named.
//!
//! The comments of an item come by their last update, too, and the steps of its life since a time;
//! review threads, commits and discussions' comments have no such order, and all of a changed item's
//! are read again. GitHub does not tell what was taken away: a star, a fork, a comment that is gone
//! stays with us.
//!
//! One who deleted the account is `ghost`. A repository or a list that is gone or closed to us fails
//! by its name, and the others are read. Whatever GitHub answers only in part is described in
//! `graphql.rs`.

mod answers;
mod api;
mod app;
mod below;
mod glances;
mod graphql;
mod lists;
mod people;
mod queries;
mod records;
mod repositories;
mod rest;
mod settings;
mod state;
mod streams;
#[cfg(test)]
mod tests;
mod verify;

use anyhow::anyhow;

use self::api::Api;
pub use self::settings::{Name, Settings};
pub use self::state::State;
use self::streams::List;
pub use self::streams::Stream;
use crate::sdk::http::Options;
use crate::sdk::{
    Access, AttributeType, CheckSchedule, Connection, Credential, CredentialType, ExternalSyncUnit,
    Integration, MemberAttribute, Owner, Result, Run, RunSummary, StreamOutput, SyncError,
};

pub struct Github {
    api: Api,
}

impl Integration for Github {
    const KIND: &'static str = "github";
    const CHECKS: CheckSchedule = CheckSchedule::EveryTicks(20);
    const CREDENTIALS: &'static [CredentialType] =
        &[CredentialType::GithubApp, CredentialType::Secret];
    /// GitHub would rather have one at a time, and computes each for seconds.
    const CONCURRENCY: usize = 4;

    type Settings = Settings;
    type State = State;
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        Ok(())
    }

    async fn streams(&self, run: &Run<Self>) -> Result<Vec<Stream>> {
        repositories::first_streams(run)
    }

    async fn process_stream(
        &self,
        stream: &Stream,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let access = &run.connection.access;
        match stream {
            Stream::Repositories { place } => self.repositories(place, run).await,
            Stream::Repository { name } => self.repository(name, run).await,
            Stream::Peek { repos } => self.peek(repos, run).await,
            Stream::Stargazers(page) => self.page(List::Stargazers, page, run).await,
            Stream::Forks(page) => self.page(List::Forks, page, run).await,
            Stream::Pulls(page) => self.page(List::Pulls, page, run).await,
            Stream::Issues(page) => self.page(List::Issues, page, run).await,
            Stream::Discussions(page) => self.page(List::Discussions, page, run).await,
            Stream::PullComments(rest) => self.pull_comments(rest, run).await,
            Stream::PullTimeline(rest) => self.pull_timeline(rest, run).await,
            Stream::PullReviewThreads(rest) => self.pull_review_threads(rest, run).await,
            Stream::PullReviewThreadComments(rest) => {
                self.pull_review_thread_comments(rest, run).await
            }
            Stream::PullCommits(rest) => self.pull_commits(rest, run).await,
            Stream::IssueComments(rest) => self.issue_comments(rest, run).await,
            Stream::IssueTimeline(rest) => self.issue_timeline(rest, run).await,
            Stream::DiscussionComments(rest) => self.discussion_comments(rest, run).await,
            Stream::DiscussionReplies(rest) => self.discussion_replies(rest, run).await,
            Stream::Followers { people } => self.followers(people, access).await,
            Stream::Organization { company } => self.company(company, access).await,
        }
    }

    /// The last item of the page is known, and so are all after it.
    fn is_processing_finished(
        &self,
        stream: &Stream,
        page: &StreamOutput<Stream>,
        _: &Run<Self>,
    ) -> bool {
        let since = stream.page().and_then(|page| page.since);
        let last = page.last_record.as_ref();
        since.zip(last).is_some_and(|(since, last)| last.at < since)
    }

    async fn postprocess(
        &self,
        run: &Run<Self>,
        summary: &RunSummary<Stream>,
    ) -> Result<Option<State>> {
        Ok(Some(run.connection.state.after(summary)))
    }

    fn member_attributes(&self) -> Vec<MemberAttribute> {
        use AttributeType::{Boolean, String, Url};
        let visible = |name, kind, label| MemberAttribute { name, kind, label, hidden: false };
        vec![
            visible("isHireable", Boolean, "Is hireable"),
            visible("isBot", Boolean, "Is a bot"),
            visible("url", Url, "URL"),
            visible("websiteUrl", Url, "Website URL"),
            visible("bio", String, "Bio"),
            visible("location", String, "Location"),
            MemberAttribute { name: "avatarUrl", kind: Url, label: "Avatar URL", hidden: true },
        ]
    }

    async fn verify(&self, connection: &Connection<Self>) -> Result<()> {
        self.verified(connection).await
    }

    async fn identify(&self, access: &Access) -> Result<Owner> {
        let owner = self.api.owner(access).await?;
        Ok(Owner { id: owner.id.to_string(), name: owner.login })
    }

    async fn renew(&self, credential: &Credential) -> Result<Credential> {
        match credential {
            Credential::GithubApp(app) => self.api.renewed(app).await,
            _ => Err(SyncError::Unauthorized(anyhow!("only a GitHub App's token can be renewed"))),
        }
    }

    async fn discover(&self, connection: &Connection<Self>) -> Result<Vec<ExternalSyncUnit>> {
        self.units(connection).await
    }
}

impl Github {
    /// The API at this address, such as `https://api.github.com`.
    pub fn at(url: &str) -> anyhow::Result<Self> {
        Self::with(url, Options::default())
    }

    pub fn with(url: &str, options: Options) -> anyhow::Result<Self> {
        Ok(Self { api: Api::at(url, options)? })
    }
}
