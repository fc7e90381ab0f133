//! The five lists of a repository, page by page, the newest first.
//!
//! A page brings its items with as much below them as usually is there; what did not fit becomes
//! streams of its own. A list that is known already is left as soon as a page reaches what was read
//! before.

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::Github;
use super::answers::{Connection, Discussion, Fork, Issue, Listing, Plain, Pull, Star};
use super::below::Found;
use super::graphql::is_too_much;
use super::queries::{DISCUSSIONS, FORKS, ISSUES, PULLS, Query, STARGAZERS};
use super::records::watching;
use super::streams::{List, Page, Stream};
use crate::sdk::{LastRecord, Result, Run, StreamOutput, SyncError};

impl List {
    /// Items on a page: with what hangs below them, about as much as GitHub computes in a few seconds.
    fn usual_size(self) -> u32 {
        match self {
            Self::Stargazers | Self::Forks => 100,
            Self::Issues => 50,
            Self::Pulls | Self::Discussions => 25,
        }
    }

    fn query(self) -> Query {
        match self {
            Self::Stargazers => STARGAZERS,
            Self::Forks => FORKS,
            Self::Pulls => PULLS,
            Self::Issues => ISSUES,
            Self::Discussions => DISCUSSIONS,
        }
    }
}

impl Github {
    pub(super) async fn page(
        &self,
        list: List,
        page: &Page,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let read = match list {
            List::Stargazers => self.stargazers(page, run).await,
            List::Forks => self.forks(page, run).await,
            List::Pulls => self.pulls(page, run).await,
            List::Issues => self.issues(page, run).await,
            List::Discussions => self.discussions(page, run).await,
        };
        match read {
            Err(error) if is_too_much(&error) => smaller(list, page).ok_or(error),
            read => read,
        }
    }

    /// Nothing is looked up of companies here: of a hundred who only watch, each has another.
    async fn stargazers(&self, page: &Page, run: &Run<Self>) -> Result<StreamOutput<Stream>> {
        let Listing { repository_url, page: stars } =
            self.listing::<Listing<Star>>(List::Stargazers, page, run).await?;
        let turned = page.turn(stars, |star| star.starred_at)?;
        let mut found = Found::default();
        for star in turned.items {
            found.activities.push(watching::star(star, &repository_url, &mut found.people));
        }
        found.people.forget_companies();
        Ok(turned.leads.output(List::Stargazers, found, run))
    }

    async fn forks(&self, page: &Page, run: &Run<Self>) -> Result<StreamOutput<Stream>> {
        let Listing { repository_url, page: forks } =
            self.listing::<Listing<Fork>>(List::Forks, page, run).await?;
        let turned = page.turn(forks, |fork| fork.created_at)?;
        let mut found = Found::default();
        for fork in turned.items {
            found.activities.extend(watching::fork(fork, &repository_url, &mut found.people));
        }
        found.people.forget_companies();
        Ok(turned.leads.output(List::Forks, found, run))
    }

    async fn pulls(&self, page: &Page, run: &Run<Self>) -> Result<StreamOutput<Stream>> {
        let Plain { page: pulls } = self.listing::<Plain<Pull>>(List::Pulls, page, run).await?;
        let turned = page.turn(pulls, |pull| pull.updated_at)?;
        let mut found = Found::default();
        turned.items.into_iter().for_each(|pull| found.pull(pull, page));
        Ok(turned.leads.output(List::Pulls, found, run))
    }

    async fn issues(&self, page: &Page, run: &Run<Self>) -> Result<StreamOutput<Stream>> {
        let Listing { repository_url, page: issues } =
            self.listing::<Listing<Issue>>(List::Issues, page, run).await?;
        let turned = page.turn(issues, |issue| issue.updated_at)?;
        let mut found = Found::default();
        turned.items.into_iter().for_each(|issue| found.issue(issue, &repository_url, page));
        Ok(turned.leads.output(List::Issues, found, run))
    }

    async fn discussions(&self, page: &Page, run: &Run<Self>) -> Result<StreamOutput<Stream>> {
        let Listing { repository_url, page: discussions } =
            self.listing::<Listing<Discussion>>(List::Discussions, page, run).await?;
        let turned = page.turn(discussions, |discussion| discussion.updated_at)?;
        let mut found = Found::default();
        turned.items.into_iter().for_each(|it| found.discussion(it, &repository_url, page));
        Ok(turned.leads.output(List::Discussions, found, run))
    }

    async fn listing<T: DeserializeOwned>(
        &self,
        list: List,
        page: &Page,
        run: &Run<Self>,
    ) -> Result<T> {
        let mut variables =
            json!({ "of": page.repo.id, "size": page.size(list), "cursor": page.cursor });
        if matches!(list, List::Pulls | List::Issues) {
            variables["since"] = json!(page.since);
        }
        if list == List::Pulls {
            variables["commits"] = json!(run.connection.settings.commits);
        }
        let reply = self.api.query(list.query(), variables, &run.connection.access).await?;
        reply.whole(format_args!("repository `{}`", page.repo.name))
    }
}

/// The same page by half, if that is possible. The pages after it try the usual number again.
fn smaller(list: List, page: &Page) -> Option<StreamOutput<Stream>> {
    let size = page.size(list) / 2;
    let page = (size > 0).then(|| Page { size: Some(size), ..page.clone() })?;
    Some(StreamOutput { next_page: Some(list.stream(page)), ..StreamOutput::empty() })
}

/// A page that was read: its new items, and where it leads.
struct Turned<T> {
    items: Vec<T>,
    leads: Leads,
}

struct Leads {
    next: Option<Page>,
    last: Option<LastRecord>,
}

impl Page {
    fn size(&self, list: List) -> u32 {
        self.size.unwrap_or(list.usual_size())
    }

    fn turn<T>(
        &self,
        mut connection: Connection<T>,
        at: impl Fn(&T) -> DateTime<Utc>,
    ) -> Result<Turned<T>> {
        let next = next_page(&self.repo.name, &connection, self.cursor.as_deref(), self.read)?;
        let next = next.map(|(cursor, read)| Self {
            cursor: Some(cursor),
            read,
            size: None,
            ..self.clone()
        });
        let items = connection.items();
        let last = items.last().map(|item| LastRecord { id: self.repo.id.clone(), at: at(item) });
        let is_new = |item: &T| self.since.is_none_or(|since| at(item) >= since);
        let items = items.into_iter().filter(is_new).collect();
        Ok(Turned { items, leads: Leads { next, last } })
    }
}

impl Leads {
    fn output(self, list: List, found: Found, run: &Run<Github>) -> StreamOutput<Stream> {
        let next_page = self.next.map(|page| list.stream(page));
        StreamOutput { last_record: self.last, next_page, ..found.output(run) }
    }
}

/// A list may grow while it is read, but not by so many.
const MOST_ADDED: u64 = 1000;

/// The cursor of the page after this one, and how many items are read by then. A page that leads to
/// itself, or a list that goes on after its end, would otherwise keep a run busy for ever.
pub(super) fn next_page<T>(
    what: &str,
    connection: &Connection<T>,
    cursor: Option<&str>,
    read: u64,
) -> Result<Option<(String, u64)>> {
    let Some(next) = connection.next() else { return Ok(None) };
    if Some(next) == cursor {
        // Perhaps a cache's mistake; the retries find out.
        return Err(anyhow!("a page of `{what}` leads to itself").into());
    }
    let read = read + connection.len() as u64;
    let total = connection.total_count;
    if read > total + MOST_ADDED {
        let endless = anyhow!("a list of `{what}` goes on after its {total} items");
        return Err(SyncError::Permanent(endless));
    }
    Ok(Some((next.to_owned(), read)))
}
