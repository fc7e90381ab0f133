//! Which repositories there are, and which of them have anything new.

use std::collections::BTreeSet;

use anyhow::anyhow;

use super::Github;
use super::api::{Listed, ListedRepo, REPOS_PER_PAGE};
use super::queries::REPOS_AT_ONCE;
use super::settings::Name;
use super::streams::{Repo, Stream};
use crate::sdk::{
    Connection, ExternalSyncUnit, Place, Result, Run, RunMode, StreamOutput, SyncError,
};

/// Pages of the credential's repositories that are followed at the most, a hundred each. A list that
/// goes on after that is taken for one without end.
const MOST_PAGES: u32 = 1000;

/// The repositories to follow by name; `None`: all there are. Units are names, too.
pub(super) fn chosen(connection: &Connection<Github>) -> Result<Option<BTreeSet<Name>>> {
    let repos = &connection.settings.repos;
    if connection.units.is_empty() {
        return Ok((!repos.is_empty()).then(|| repos.clone()));
    }
    let units = connection.units.iter().map(|unit| unit.parse::<Name>());
    let units = units.collect::<Result<BTreeSet<_>, _>>();
    units.map(Some).map_err(|problem| SyncError::Permanent(anyhow!(problem)))
}

/// Units choose among the repositories of the settings: one that is none of them is a mistake, and
/// would be an empty run if it was passed over.
pub(super) fn is_followed(name: &Name, connection: &Connection<Github>) -> Result<()> {
    let repos = &connection.settings.repos;
    if connection.units.is_empty() || repos.is_empty() || repos.contains(name) {
        return Ok(());
    }
    let outside = anyhow!("the unit `{name}` is none of the repositories in the settings");
    Err(SyncError::Permanent(outside))
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
            Some(id)
                if run.connection.mode == RunMode::Check
                    && is_followed(&name, &run.connection).is_ok() =>
            {
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

    pub(super) async fn repository(
        &self,
        name: &Name,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        is_followed(name, &run.connection)?;
        let glance = self.glance(name, &run.connection.access).await?;
        Ok(StreamOutput {
            mark: Some(glance.id.clone()),
            new_streams: glance.to_read(run),
            ..StreamOutput::empty()
        })
    }

    pub(super) async fn peek(
        &self,
        repos: &[Repo],
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let mut new_streams = Vec::new();
        for (repo, glance) in self.glances(repos, &run.connection.access).await? {
            match glance {
                Some(glance) => new_streams.extend(glance.to_read(run)),
                // Its name will tell what became of it.
                None => new_streams.push(by_name(repo)?),
            }
        }
        Ok(StreamOutput { new_streams, ..StreamOutput::empty() })
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
