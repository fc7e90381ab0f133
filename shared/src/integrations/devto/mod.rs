//! dev.to, and other sites that run Forem: the comments on what organizations and users write there.
//!
//! ```text
//! articles of each organization and user, page by page
//!   └─ comments of each article that has new ones, the whole tree at once
//!        └─ profile of each author who is new among them
//! ```
//!
//! Nothing here needs a credential. An article is read when it was never read, or when it is listed
//! with another number of comments or another last comment than when it was: so an edited comment
//! is seen too, as far as the site itself notices edits. A check of N organizations and users with
//! nothing new costs 2 N requests.
//!
//! The site answers three requests a second to one address, whoever asks for whom, and says so by
//! 429 only.

mod api;
mod records;
mod settings;
mod sources;
mod state;
#[cfg(test)]
mod tests;
mod threads;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use self::api::{Api, Article, Listed, Owner};
use self::records::Site;
pub use self::settings::{Name, Settings, Source};
pub use self::state::State;
use self::threads::Comment;
use crate::sdk::http::Options;
use crate::sdk::{
    AttributeType, CheckSchedule, Connection, ExternalSyncUnit, Integration, LastRecord,
    MemberAttribute, Operation, Place, Result, Run, RunMode, RunSummary, StreamOutput,
};

/// Pages of articles that are followed at the most, a thousand articles each. A list that goes on
/// after that is taken for one without end.
const MOST_PAGES: u32 = 100;

pub struct Devto {
    api: Api,
    site: Site,
}

/// What is fetched at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub enum Stream {
    /// A page of somebody's articles, the latest first.
    Articles {
        of: Source,
        #[serde(flatten)]
        place: Place<u64>,
    },
    /// All comments on an article, and the article as it was listed.
    Comments {
        article: Article,
    },
    Profile {
        user_id: u64,
    },
}

impl Integration for Devto {
    const KIND: &'static str = "devto";
    const CHECKS: CheckSchedule = CheckSchedule::EveryTicks(20);
    /// More at a time would only wait for each other.
    const CONCURRENCY: usize = 3;

    type Settings = Settings;
    type State = State;
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        Ok(())
    }

    async fn streams(&self, run: &Run<Self>) -> Result<Vec<Stream>> {
        let articles = sources::chosen(&run.connection)?.into_iter();
        let articles = articles.map(|of| Stream::Articles { of, place: Place::first() });
        Ok(articles.chain(run.connection.state.missed_profiles()).collect())
    }

    async fn process_stream(
        &self,
        stream: &Stream,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        match stream {
            Stream::Articles { of, place } => self.articles(of, place, run).await,
            Stream::Comments { article } => self.comments(article, run).await,
            Stream::Profile { user_id } => self.profile(*user_id, run).await,
        }
    }

    async fn postprocess(
        &self,
        run: &Run<Self>,
        summary: &RunSummary<Stream>,
    ) -> Result<Option<State>> {
        Ok(Some(run.connection.state.after(summary)))
    }

    fn member_attributes(&self) -> Vec<MemberAttribute> {
        use AttributeType::{String, Url};
        let visible = |name, kind, label| MemberAttribute { name, kind, label, hidden: false };
        vec![
            MemberAttribute { name: "sourceId", kind: String, label: "Source ID", hidden: true },
            visible("url", Url, "URL"),
            visible("name", String, "Name"),
            visible("location", String, "Location"),
            visible("bio", String, "Bio"),
        ]
    }

    async fn verify(&self, connection: &Connection<Self>) -> Result<()> {
        self.verified(connection).await
    }

    async fn discover(&self, connection: &Connection<Self>) -> Result<Vec<ExternalSyncUnit>> {
        let sources: Vec<_> = connection.settings.sources().cloned().collect();
        let owners = self.owners(&sources, &connection.access).await?;
        let unit = |(source, Owner { name, summary }): (&Source, Owner)| ExternalSyncUnit {
            id: source.unit(),
            name,
            description: summary,
            item_count: None,
        };
        Ok(sources.iter().zip(owners).map(unit).collect())
    }
}

impl Devto {
    /// The site at this address, such as `https://dev.to`.
    pub fn at(url: &str) -> anyhow::Result<Self> {
        Self::with(url, Options::default())
    }

    pub fn with(url: &str, options: Options) -> anyhow::Result<Self> {
        Ok(Self { api: Api::at(url, options)?, site: Site::at(url)? })
    }

    /// Of a site that allows an address so many requests a second.
    pub fn allowing(self, per_second: u32) -> Self {
        Self { api: self.api.allowing(per_second), ..self }
    }

    /// Until a page is empty: a short one is no promise that it was the last.
    async fn articles(
        &self,
        of: &Source,
        place: &Place<u64>,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        sources::is_followed(of, &run.connection)?;
        let access = &run.connection.access;
        let listed = self.api.articles(of, place.page, access).await?;
        let articles = listed.body.ok_or_else(|| sources::unknown(of))?;
        let Some(first) = articles.first().map(|article| article.id) else {
            if place.page == 1 && matches!(of, Source::User(_)) {
                // Nobody of that name is no error to the site, but a user without articles.
                self.find(of, access).await?;
            }
            return Ok(StreamOutput::empty());
        };
        let list = format_args!("the articles of {of}");
        let place = place.next(list, MOST_PAGES, None, Some(first))?;
        let to_read = articles.into_iter().filter(|article| is_to_be_read(article, run));
        Ok(StreamOutput {
            new_streams: to_read.map(|article| Stream::Comments { article }).collect(),
            next_page: Some(Stream::Articles { of: of.clone(), place }),
            ..StreamOutput::empty()
        })
    }

    async fn comments(&self, article: &Article, run: &Run<Self>) -> Result<StreamOutput<Stream>> {
        let read = self.api.comments(article.id, &run.connection.access).await?;
        let comments = match read.body {
            Some(tree) => threads::flatten(tree)?,
            // The article has been deleted since it was listed.
            None => Vec::new(),
        };
        let read_until = known(run, article.id).and_then(|listed| listed.last_comment_at);
        let new_streams = profiles(&comments, read_until);
        let activities: Vec<_> = comments
            .into_iter()
            .filter_map(|comment| self.site.activity(article, comment))
            .collect();
        let last_record = activities
            .last()
            .map(|last| LastRecord { id: last.source_id.clone(), at: last.timestamp });
        Ok(StreamOutput {
            operations: vec![Operation::UpsertActivities(activities)],
            last_record,
            new_streams,
            ..StreamOutput::empty()
        })
    }

    /// Some authors have no profile (any more); what they wrote stays.
    async fn profile(&self, user_id: u64, run: &Run<Self>) -> Result<StreamOutput<Stream>> {
        let answer = self.api.profile(user_id, &run.connection.access).await?;
        let members = answer.body.map(|profile| self.site.member(profile)).into_iter().collect();
        Ok(StreamOutput {
            operations: vec![Operation::UpsertMembers(members)],
            ..StreamOutput::empty()
        })
    }
}

/// Of those who wrote since we last read; the others we know.
fn profiles(comments: &[Comment], read_until: Option<DateTime<Utc>>) -> Vec<Stream> {
    let new = comments.iter().filter(|comment| Some(comment.created_at) >= read_until);
    let authors: BTreeSet<_> = new.filter_map(|comment| comment.author.as_ref()?.user_id).collect();
    authors.into_iter().map(|user_id| Stream::Profile { user_id }).collect()
}

/// Without comments there is nothing to ask for, nor to remember.
fn is_to_be_read(article: &Article, run: &Run<Devto>) -> bool {
    article.listed.comments_count > 0 && known(run, article.id) != Some(&article.listed)
}

/// How an article was listed when a check last read it; an onboarding reads everything.
fn known(run: &Run<Devto>, article: u64) -> Option<&Listed> {
    match run.connection.mode {
        RunMode::Onboarding => None,
        RunMode::Check => run.connection.state.listed(article),
    }
}
