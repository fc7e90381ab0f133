//! Whether this credential reads what is to be read: asked when a tenant connects. Scopes and
//! permissions are GitHub's to name, so the first repository is asked for what a run asks.

use anyhow::anyhow;
use futures_util::future::try_join_all;
use serde_json::json;

use super::Github;
use super::answers::{Plain, Pull};
use super::queries::PULLS;
use super::repositories::{chosen, is_followed};
use super::settings::Name;
use super::streams::List;
use crate::sdk::{Access, Connection, Result, SyncError};

/// Repositories that are looked for by name, and how many at a time: somebody waits meanwhile. What
/// is wrong with the others is told by the run.
const MOST_NAMES: usize = 100;
const AT_A_TIME: usize = 10;

impl Github {
    pub(super) async fn verified(&self, connection: &Connection<Self>) -> Result<()> {
        let access = &connection.access;
        let names = match chosen(connection)? {
            Some(names) => names.into_iter().collect(),
            None => vec![self.any_repository(access).await?],
        };
        names.iter().try_for_each(|name| is_followed(name, connection))?;
        self.are_there(&names[..names.len().min(MOST_NAMES)], access).await?;
        match names.first() {
            Some(first) => self.is_readable(first, connection).await,
            None => Ok(()),
        }
    }

    async fn any_repository(&self, access: &Access) -> Result<Name> {
        let listed = self.api.repositories(1, access).await?.repositories;
        let Some(first) = listed.first() else {
            return Err(SyncError::Permanent(anyhow!("the credential sees no repository")));
        };
        first.full_name.parse().map_err(|problem: String| anyhow!(problem).into())
    }

    async fn are_there(&self, names: &[Name], access: &Access) -> Result<()> {
        for some in names.chunks(AT_A_TIME) {
            try_join_all(some.iter().map(|name| self.is_there(name, access))).await?;
        }
        Ok(())
    }

    async fn is_there(&self, name: &Name, access: &Access) -> Result<()> {
        let found = self.find(name, &[], access).await?;
        found.whole(format_args!("repository `{name}`")).map(drop)
    }

    /// Every list, and of pull requests what takes the most scopes.
    async fn is_readable(&self, name: &Name, connection: &Connection<Self>) -> Result<()> {
        let access = &connection.access;
        let glance = self.find(name, &List::ALL, access).await?;
        let id = glance.whole(format_args!("repository `{name}`"))?.id;
        let variables = json!({
            "of": id, "size": 1, "cursor": null, "since": null,
            "commits": connection.settings.commits,
        });
        let page = self.api.query::<Plain<Pull>>(PULLS, variables, access).await?;
        page.whole(format_args!("pull requests of `{name}`")).map(drop)
    }
}
