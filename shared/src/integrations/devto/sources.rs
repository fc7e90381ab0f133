//! Whose articles are followed, and whether the site knows them.

use std::time::Duration;

use anyhow::anyhow;
use futures_util::future::try_join_all;

use super::api::Owner;
use super::{Devto, Source};
use crate::sdk::{Access, Connection, Integration, Result, SyncError};

/// How long it may take to look for those of a new connection, while somebody waits. What is wrong
/// with the others is told by the run.
const PATIENCE: Duration = Duration::from_secs(10);

/// Those of the settings, or the units that were chosen of them.
pub(super) fn chosen(connection: &Connection<Devto>) -> Result<Vec<Source>> {
    if connection.units.is_empty() {
        return Ok(connection.settings.sources().cloned().collect());
    }
    let units = connection.units.iter().map(|unit| unit.parse::<Source>());
    units.collect::<Result<_, _>>().map_err(|problem| SyncError::Permanent(anyhow!(problem)))
}

/// A unit that is not among the settings is a mistake, and would be an empty run if it was passed
/// over.
pub(super) fn is_followed(source: &Source, connection: &Connection<Devto>) -> Result<()> {
    let mut sources = connection.settings.sources();
    if connection.units.is_empty() || sources.any(|followed| followed == source) {
        return Ok(());
    }
    let outside = anyhow!("the unit `{}` is nobody in the settings", source.unit());
    Err(SyncError::Permanent(outside))
}

impl Devto {
    pub(super) async fn verified(&self, connection: &Connection<Self>) -> Result<()> {
        let sources = chosen(connection)?;
        sources.iter().try_for_each(|source| is_followed(source, connection))?;
        let most = self.api.requests_in(PATIENCE).clamp(1, sources.len());
        self.owners(&sources[..most], &connection.access).await.map(drop)
    }

    pub(super) async fn owners(&self, of: &[Source], access: &Access) -> Result<Vec<Owner>> {
        let mut owners = Vec::new();
        for some in of.chunks(Self::CONCURRENCY) {
            owners.extend(try_join_all(some.iter().map(|it| self.find(it, access))).await?);
        }
        Ok(owners)
    }

    pub(super) async fn find(&self, source: &Source, access: &Access) -> Result<Owner> {
        self.api.owner(source, access).await?.body.ok_or_else(|| unknown(source))
    }
}

pub(super) fn unknown(source: &Source) -> SyncError {
    SyncError::Permanent(anyhow!("dev.to knows no {source}"))
}
