//! Bringing the schema up to this version.

use std::collections::BTreeSet;

use anyhow::Context;
use sqlx::migrate::Migrate;
use sqlx::{Connection, Executor, PgConnection};

use super::{MIGRATIONS, Store};

/// Where sqlx notes what is applied.
const TABLE: &str = "_sqlx_migrations";

/// A migration that was just applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub version: i64,
    /// As its file is named: `runs and streams`.
    pub description: String,
}

impl Store {
    /// Applies the migrations that are missing; which those were. Whoever migrates at the same time
    /// waits, and finds nothing left to apply.
    pub async fn migrate(&self) -> anyhow::Result<Vec<Applied>> {
        // A connection of its own, closed afterwards: a migration may take longer than anything else.
        let mut connection = self.pool.acquire().await.context("connecting")?.detach();
        let applied = migrate(&mut connection).await.context("migrating the database")?;
        connection.close().await?;
        Ok(applied)
    }
}

async fn migrate(connection: &mut PgConnection) -> anyhow::Result<Vec<Applied>> {
    connection.execute("set statement_timeout = 0; set lock_timeout = 0").await?;
    // The lock is the session's and counts: `run` takes and frees it once more inside of ours.
    connection.lock().await?;
    let before = applied_versions(connection).await?;
    MIGRATIONS.run(&mut *connection).await?;
    connection.unlock().await?;
    let missing = MIGRATIONS.iter().filter(|migration| !before.contains(&migration.version));
    Ok(missing
        .map(|migration| Applied {
            version: migration.version,
            description: migration.description.to_string(),
        })
        .collect())
}

async fn applied_versions(connection: &mut PgConnection) -> anyhow::Result<BTreeSet<i64>> {
    connection.ensure_migrations_table(TABLE).await?;
    let applied = connection.list_applied_migrations(TABLE).await?;
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}
