//! Which repositories there are, and what is new in them.

use std::collections::BTreeSet;

use anyhow::anyhow;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::Github;
use super::answers::Glance;
use super::api::{Listed, ListedRepo, REPOS_PER_PAGE};
use super::graphql::Reply;
use super::queries::{PEEK, REPOS_AT_ONCE, REPOSITORY};
use super::settings::Name;
use super::streams::{List, Newest, Page, Repo, Stream};
use crate::sdk::{
    Access, Connection, ExternalSyncUnit, Place, Result, Run, RunMode, StreamOutput, SyncError,
};

/// Pages of the credential's repositories that are followed at the most, a hundred each. A list that
/// goes on after that is taken for one without end.
const MOST_PAGES: u32 = 1000;

/// How far before its cursor a list is read again. What is written in one moment need not be listed
/// in one moment: GitHub answers from replicas, and clocks of its servers differ. Minutes are far
/// more than was ever seen of it, and cost nothing as long as nothing is new.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);

/// The repositories to follow by name; `None`: all there are. Units are names, too, and those outside
/// the settings are left out.
pub(super) fn chosen(connection: &Connection<Github>) -> Result<Option<BTreeSet<Name>>> {
    let repos = &connection.settings.repos;
    if connection.units.is_empty() {
        return Ok((!repos.is_empty()).then(|| repos.clone()));
    }
    let units = connection.units.iter().map(|unit| unit.parse::<Name>());
    let units = units.collect::<Result<BTreeSet<_>, _>>();
    let mut units = units.map_err(|problem| SyncError::Permanent(anyhow!(problem)))?;
    units.retain(|unit| repos.is_empty() || repos.contains(unit));
    Ok(Some(units))
}

/// Where a run begins. In a check repositories that we know are glanced at many at once.
pub(super) fn first_streams(run: &Run<Github>) -> Result<Vec<Stream>> {
    let Some(names) = chosen(&run.connection)? else {
        return Ok(vec![Stream::Repositories { place: Place::first() }]);
    };
    let mut known = Vec::new();
    let mut streams = Vec::new();
    for name in names {
        match run.connection.state.id(&name.to_string()) {
            Some(id) if run.connection.mode == RunMode::Check => {
                known.push(Repo { id: id.to_owned(), name: name.to_string() });
            }
            _ => streams.push(Stream::Repository { name }),
        }
    }
    streams.extend(peeks(&known));
    Ok(streams)
}

fn peeks(repos: &[Repo]) -> impl Iterator<Item = Stream> {
    repos.chunks(REPOS_AT_ONCE).map(|repos| Stream::Peek { repos: repos.to_vec() })
}

impl Github {
    pub(super) async fn repositories(
        &self,
        place: &Place<u64>,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let listed = self.api.repositories(place.page, &run.connection.access).await?;
        let next_page = next_of_list(place, &listed)?.map(|place| Stream::Repositories { place });
        let repos = listed.repositories.into_iter();
        let repos: Vec<_> =
            repos.map(|it| Repo { id: it.node_id, name: it.full_name.to_lowercase() }).collect();
        let new_streams = peeks(&repos).collect();
        Ok(StreamOutput { new_streams, next_page, ..StreamOutput::empty() })
    }

    /// One that was renamed is found by its old name, too.
    pub(super) async fn repository(
        &self,
        name: &Name,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let glance = self.find(name, &run.connection.access).await?;
        Ok(StreamOutput {
            mark: Some(glance.id.clone()),
            new_streams: to_read(&glance, run),
            ..StreamOutput::empty()
        })
    }

    pub(super) async fn peek(
        &self,
        repos: &[Repo],
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let ids: Vec<_> = repos.iter().map(|repo| &repo.id).collect();
        let access = &run.connection.access;
        let reply: Reply<Vec<Option<Glance>>> =
            self.api.query(PEEK, json!({ "ids": ids }), access).await?;
        let glances = reply.whole("repositories")?;
        let mut new_streams = Vec::new();
        for (repo, glance) in repos.iter().zip(glances) {
            match glance {
                Some(glance) => new_streams.extend(to_read(&glance, run)),
                // Deleted, or closed to us, or another one by now: its name will tell.
                None => new_streams.push(by_name(repo)?),
            }
        }
        Ok(StreamOutput { new_streams, ..StreamOutput::empty() })
    }

    pub(super) async fn find(&self, name: &Name, access: &Access) -> Result<Glance> {
        let variables = json!({ "owner": name.owner(), "name": name.name() });
        let reply = self.api.query(REPOSITORY, variables, access).await?;
        reply.whole(format_args!("repository `{name}`"))
    }

    /// All that the credential sees, less those that the settings leave out.
    pub(super) async fn units(
        &self,
        connection: &Connection<Self>,
    ) -> Result<Vec<ExternalSyncUnit>> {
        let mut units = Vec::new();
        let mut next = Some(Place::first());
        while let Some(place) = next {
            let listed = self.api.repositories(place.page, &connection.access).await?;
            next = next_of_list(&place, &listed)?;
            units.extend(listed.repositories.into_iter().map(unit));
        }
        let repos = &connection.settings.repos;
        units.retain(|unit| {
            repos.is_empty() || unit.id.parse().is_ok_and(|name| repos.contains(&name))
        });
        Ok(units)
    }
}

fn unit(repo: ListedRepo) -> ExternalSyncUnit {
    ExternalSyncUnit {
        id: repo.full_name.to_lowercase(),
        name: repo.full_name,
        description: repo.description,
        item_count: None,
    }
}

fn by_name(repo: &Repo) -> Result<Stream> {
    let name = repo.name.parse().map_err(|problem: String| anyhow!(problem))?;
    Ok(Stream::Repository { name })
}

/// Until a page is empty, since a short one is no promise that it was the last; or until there are as
/// many as GitHub said.
fn next_of_list(place: &Place<u64>, listed: &Listed) -> Result<Option<Place<u64>>> {
    let Some(first) = listed.repositories.first() else { return Ok(None) };
    let read = u64::from(place.page) * REPOS_PER_PAGE as u64;
    if listed.total_count.is_some_and(|total| total <= read) {
        return Ok(None);
    }
    place.next("the repositories", MOST_PAGES, None, Some(first.id)).map(Some)
}

/// The lists of a repository that have anything new.
fn to_read(glance: &Glance, run: &Run<Github>) -> Vec<Stream> {
    let repo = Repo { id: glance.id.clone(), name: glance.name_with_owner.to_lowercase() };
    let lists = List::ALL.into_iter().filter_map(|list| {
        let newest = glance.newest(list);
        let since = since(newest, known(&repo, list, run))?;
        let page = Page { repo: repo.clone(), newest, since, cursor: None, read: 0, size: None };
        Some(list.stream(page))
    });
    lists.collect()
}

/// How far a list was read; an onboarding reads everything.
fn known(repo: &Repo, list: List, run: &Run<Github>) -> Option<Newest> {
    match run.connection.mode {
        RunMode::Onboarding => None,
        RunMode::Check => run.connection.state.read(&repo.id, list),
    }
}

/// From when on a list is to be read; `None`: not at all.
///
/// An item that is new, or was updated, is the first. One that is listed late is counted at once,
/// and read with the next that is new at the latest. What is taken away (a star, a fork, an issue)
/// shows in neither.
fn since(newest: Newest, known: Option<Newest>) -> Option<Beginning> {
    let Some(known) = known else {
        return (newest.total > 0).then_some(None);
    };
    let is_new = newest.at > known.at || newest.total > known.total;
    is_new.then(|| known.at.map(|at| at - OVERLAP))
}

/// When what is to be read begins; `None`: with the first there ever was.
type Beginning = Option<DateTime<Utc>>;

impl Glance {
    fn newest(&self, list: List) -> Newest {
        match list {
            List::Stargazers => &self.stargazers,
            List::Forks => &self.forks,
            List::Pulls => &self.pull_requests,
            List::Issues => &self.issues,
            List::Discussions => &self.discussions,
        }
        .newest()
    }
}
