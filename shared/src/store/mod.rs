//! PostgreSQL, which is the truth. All of the product's SQL is here, one file per table.
//!
//! Three rules hold in every file. A statement that ends work names its lease and looks at how many
//! rows it touched: none means "not mine any more". A transaction begins and ends in one function
//! and contains no HTTP. Instants compared with rows are the database's own, unless a test turned
//! the clock: `coalesce($n, now())`.
//!
//! A future that holds a transaction must be polled to its end: sqlx's `begin` is not safe to cancel.

mod activities;
mod claim;
mod clean;
mod commit;
mod connect;
mod credentials;
mod directory;
mod discoveries;
mod discovery_outcomes;
mod ending;
mod facts;
mod idempotency;
mod identities;
mod integrations;
mod limit_facts;
mod members;
mod mentions;
mod migrate;
mod organizations;
mod outbox;
mod parents;
mod quota;
mod reach;
mod records_quota;
mod refusals;
mod renewals;
mod rest;
mod run_lists;
mod runs;
mod stored;
mod streams;
mod tenants;
mod ticks;
mod updates;

use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgPool, Postgres, Transaction};

use crate::clock::Clock;
use crate::config::DatabaseConfig;
use crate::sdk::SyncError;

pub use claim::{Claimed, ClaimedCredential, Kept};
pub use commit::{Page, PageSource};
pub use connect::{Connected, NewIntegration};
pub use credentials::{NewCredential, NewSecret, Removed};
pub use directory::TenantMembers;
pub use discoveries::{ClaimedDiscovery, DiscoveryLease, DueDiscovery, NewDiscovery};
pub use ending::{Finished, RunFailure};
pub use facts::{RunFacts, SchedulerHolder, StreamError};
pub use idempotency::{HeldKey, IdempotencyKey, Keep, KeptAnswer, TakenKey};
pub use integrations::IntegrationChange;
pub use limit_facts::LimitFacts;
pub use migrate::Applied;
pub use outbox::DueMessage;
pub use quota::{QuotaKey, ReadBook};
pub use reach::{Unreachable, reach_database};
pub use records_quota::{QuotaLeft, RecordSpending};
pub use refusals::Refusal;
pub use renewals::{ClaimedRenewal, Renewal, SealedCredential};
pub use run_lists::RunFilter;
pub use runs::{Continued, Requested};
pub use stored::{Stored, StoredByIntegration, StoredByType};
pub use streams::{StreamCounts, StreamSetback};
pub use tenants::Tenant;
pub use ticks::SchedulerLease;

/// What is waited before the database is asked again.
pub(crate) const A_MOMENT: Duration = Duration::from_secs(1);

/// The schema, as `millrace migrate` applies it.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// The store's answer: an error is the database's, worth trying again.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else holds the run now. Stop, quietly.
    #[error("the lease is no longer ours")]
    LeaseLost,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    /// Whether there was no connection, or it ended, or PostgreSQL takes none of ours for now, rather
    /// than a statement that was refused.
    pub fn is_away(&self) -> bool {
        use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls};
        match self {
            Self::Database(Io(_) | Tls(_) | PoolTimedOut | PoolClosed) => true,
            // A connection's end, a standby, a transaction that lay too long, an operator's doing, no
            // room for another connection.
            other => other.is_of(&["08", "25006", "25P03", "57P", "53300"]),
        }
    }

    /// Whether the same statement may be carried out later: the database is away, starts or stops, is
    /// full or busy, rather than against what it was asked.
    pub fn may_pass(&self) -> bool {
        // By class: rolled back, resources, not in this state, by an operator or too slow, of the system.
        self.is_away() || self.is_of(&["40", "53", "55", "57", "58"])
    }

    /// The outcome for an integration that wanted something of the database: one that is away costs
    /// nobody an attempt.
    pub fn into_outcome(self, wanted: &'static str) -> SyncError {
        if self.may_pass() {
            return SyncError::RateLimited { retry_after: A_MOMENT };
        }
        SyncError::Other(anyhow::Error::new(self).context(wanted))
    }

    /// Whether the database takes none of what it was given, now or later: a value that does not fit,
    /// or a row against a constraint. Trying again at once, here or elsewhere, would end the same way.
    pub fn is_refusal(&self) -> bool {
        // By class: data, integrity, no such thing, too large, raised by a trigger.
        let is_refused = self.is_of(&["22", "23", "42", "54", "P0"]) && !self.is_collision();
        is_refused || matches!(self, Self::Database(sqlx::Error::Encode(_)))
    }

    /// Whether PostgreSQL's code for it begins with one of these.
    fn is_of(&self, classes: &[&str]) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        let code = error.code().unwrap_or_default();
        classes.iter().any(|class| code.starts_with(class))
    }

    /// Two transactions stood in each other's way: the same one, again, will pass.
    fn is_collision(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else {
            return false;
        };
        // An activity is tied to a parent of its page, which another page has just stored under an id
        // of its own.
        let has_other_parent = error.constraint() == Some("activities_parent_id_fkey");
        // deadlock_detected, serialization_failure; unique_violation, of a row that was not there a
        // moment ago
        has_other_parent || matches!(error.code().as_deref(), Some("40P01" | "40001" | "23505"))
    }
}

fn is_undefined_table(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    error.code().as_deref() == Some("42P01")
}

/// Does what collided with another transaction again, a few times.
async fn retrying_collisions<T, F>(attempt: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for _ in 0..3 {
        match attempt().await {
            Err(error) if error.is_collision() => continue,
            settled => return settled,
        }
    }
    attempt().await
}

/// Bounded by the server, since a client must not cancel: a statement, a wait for a lock, and a
/// transaction whose client went away. The last is short, because whoever takes over from a worker
/// that froze in the middle of a page waits for it. As statements, because PgBouncer refuses them
/// as options.
const BOUNDS: &str = "set statement_timeout = '60s'; set lock_timeout = '30s'; \
                      set idle_in_transaction_session_timeout = '5s'";

/// What a page brings is looked up row by row, each by an index. While a table is young, reading all of
/// it looks cheaper to the planner, and the plan stays when the table has grown.
const BEGIN_BY_INDEX: &str = "begin; set local enable_seqscan = off; \
                              set local enable_hashjoin = off; set local enable_mergejoin = off";

/// A connection that lay idle for longer is asked whether it lives before it is used again. One in
/// constant use is not: asking takes as long as most statements.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
    clock: Clock,
}

impl Store {
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        Self { pool, clock }
    }

    /// Does not connect yet: a database that is away at start is waited for by whoever asks first.
    pub fn connect_lazily(config: &DatabaseConfig) -> anyhow::Result<Self> {
        let options = PgConnectOptions::from_str(&config.url)
            .context("reading the database's URL")?
            .application_name("millrace");
        let pool = PgPoolOptions::new()
            .max_connections(config.connections)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false)
            .before_acquire(|connection, metadata| {
                Box::pin(async move {
                    if metadata.idle_for > TRUSTED_FOR {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute(BOUNDS).await.map(drop) })
            })
            .connect_lazy_with(options);
        Ok(Self::new(pool, Clock::System))
    }

    /// Begins a transaction whose statements go by indexes, whatever the planner thinks of the tables.
    async fn begin_by_index(&self) -> Result<Transaction<'static, Postgres>> {
        Ok(self.pool.begin_with(BEGIN_BY_INDEX).await?)
    }

    /// Failures after which a stream, or the beginning of a run, is given up.
    pub const ATTEMPTS: i32 = crate::domain::ATTEMPTS;
    /// Workers that may die over a stream, or over the beginning of a run, before it is given up.
    pub const CRASHES: i32 = 3;

    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The time of day by which leases and ticks are counted.
    pub async fn now(&self) -> Result<DateTime<Utc>> {
        let now = sqlx::query_scalar!(
            r#"select coalesce($1::timestamptz, now()) as "now!""#,
            self.clock.in_database()
        );
        Ok(now.fetch_one(&self.pool).await?)
    }

    /// Whether the database answers and has this version's schema, for `/readyz`.
    pub async fn check(&self) -> anyhow::Result<()> {
        // Unchecked, because the table is sqlx's own, made before any of ours.
        let applied: Option<i64> =
            sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
                .fetch_one(&self.pool)
                .await
                .map_err(|error| {
                    let context = match is_undefined_table(&error) {
                        true => "looking for the schema; `millrace migrate` makes it",
                        false => "asking the database",
                    };
                    anyhow::Error::new(error).context(context)
                })?;
        let wanted = MIGRATIONS.iter().map(|migration| migration.version).max();
        anyhow::ensure!(
            applied >= wanted,
            "the schema is older than this version: run `millrace migrate`"
        );
        Ok(())
    }
}
