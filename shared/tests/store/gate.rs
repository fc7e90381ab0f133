//! Holding a transaction up in the middle, so that another can be let in between.
//!
//! A trigger waits for an advisory lock that the test holds. What the statement has written is
//! written and locked by then, and nobody else sees it.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};
use tokio::time::timeout;

use crate::ground::Ground;

/// What has not come by then never will.
const PATIENCE: Duration = Duration::from_secs(20);

/// Any number; each test has a database of its own, and one gate at a time.
const LOCK: i64 = 7;

pub(crate) struct Gate {
    pool: PgPool,
    shut: Transaction<'static, Postgres>,
}

impl Gate {
    /// Holds up whoever inserts or updates such a row, right after the statement that did it.
    pub(crate) async fn before_committing(ground: &Ground, table: &str, such: &str) -> Self {
        Self::after(ground, "insert or update", table, such).await
    }

    /// Holds up whoever updates a row so; `old` is the row as it was.
    pub(crate) async fn after_update(ground: &Ground, table: &str, so: &str) -> Self {
        Self::after(ground, "update", table, so).await
    }

    async fn after(ground: &Ground, doing: &str, table: &str, such: &str) -> Self {
        let pool = ground.store.pool().clone();
        let trigger = format!(
            "create or replace function wait_at_gate() returns trigger language plpgsql as
             $$ begin perform pg_advisory_xact_lock({LOCK}); return null; end $$;
             create or replace trigger gate after {doing} on {table}
             for each row when ({such}) execute function wait_at_gate()"
        );
        sqlx::raw_sql(AssertSqlSafe(trigger)).execute(&pool).await.unwrap();
        let mut shut = pool.begin().await.unwrap();
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(LOCK)
            .execute(&mut *shut)
            .await
            .unwrap();
        Self { pool, shut }
    }

    /// Returns once so many connections to this database wait for a lock, the gate's or another.
    pub(crate) async fn until_waiting(&self, connections: i64) {
        until_waiting(&self.pool, connections).await;
    }

    /// Lets everybody through, from now on.
    pub(crate) async fn open(self) {
        self.shut.rollback().await.unwrap();
    }
}

/// PostgreSQL tells nobody that somebody waits, so it is asked, again and again.
pub(crate) async fn until_waiting(pool: &PgPool, connections: i64) {
    let waiting = "select count(*) from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock'";
    let asking = async {
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(pool).await.unwrap() < connections {
            tokio::task::yield_now().await;
        }
    };
    in_time(asking).await;
}

/// Of what is not to wait for anybody.
pub(crate) async fn in_time<T>(done: impl Future<Output = T>) -> T {
    timeout(PATIENCE, done).await.expect("in time")
}
