//! The queue as a table in PostgreSQL, so that a newcomer needs nothing but a database.
//!
//! Receiving a message stamps it with a fresh receipt and a time until which it is invisible; the
//! stamp is what acknowledging and keeping invisible name, so an old receipt does nothing. Each
//! call is one autocommit statement (a waiting receive: a few), bounded in time. Times are the
//! database's.
//!
//! **Fairness.** Messages are received by rounds. A message joins the round that is being received,
//! or the one after its group's last if that is later, so each group has about one message in each
//! round: a message of a group that has nothing else waiting is behind at most one message of each
//! other group, however long their backlogs are. "About", since two sends of one group at the same
//! moment may choose the same rounds.
//!
//! **Waking up.** A waiting receive looks again when a listening connection hears of a message, when the next
//! invisible message becomes visible, and at least once a second, should listening fail. Behind a
//! PgBouncer in transaction mode there is no connection to listen on: what one hears arrives in the
//! middle of another's statements.
//!
//! It is meant for up to some thousand messages a second, and for few invisible ones: a receive
//! steps over those whose turn is before that of the visible (a thousand take a tenth of a
//! millisecond).

mod claim;
mod dead_letters;
mod insert;
mod wakeups;

use std::time::Duration;

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use sqlx::pool::PoolConnection;
use sqlx::postgres::types::PgInterval;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::{Map, Query};
use sqlx::{PgPool, Postgres};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use self::wakeups::Wakeups;
use super::limits::{self, LONGEST_WAIT, Unsent};
use super::{DeadLetter, Outgoing, Queue, QueueError, Receipt, Received, Redelivery, SendError};
use crate::clock::Clock;

/// Each statement's time, and that of getting a connection from the pool.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// A waiting receive looks at least this often.
const SLOW_POLL: Duration = Duration::from_secs(1);
/// … and at most this often: a message may be visible but locked, which is no reason to spin.
const FAST_POLL: Duration = Duration::from_millis(50);
/// Messages in one insert.
const INSERTED_AT_ONCE: usize = 500;

pub struct PostgresQueue {
    pool: PgPool,
    clock: Clock,
    redelivery: Redelivery,
    wakeups: Wakeups,
}

impl PostgresQueue {
    /// Asks nothing of the database yet. Waiting receives open one connection besides the pool's,
    /// which is closed when the queue is dropped or the pool closed.
    pub fn new(pool: PgPool, clock: Clock, redelivery: Redelivery) -> Self {
        let wakeups = Wakeups::new(pool.clone());
        Self { pool, clock, redelivery, wakeups }
    }
}

#[async_trait]
impl Queue for PostgresQueue {
    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Received>, QueueError> {
        if wait.is_zero() {
            return Ok(self.claim(max, self.clock.in_database()).await?);
        }
        let deadline = Instant::now() + wait.min(LONGEST_WAIT);
        // Hears from before the first look, so that it misses nothing in between. The wait is of
        // real time, even where the messages' times are a turned clock's.
        let mut wakeups = self.wakeups.subscribe();
        loop {
            wakeups.mark_unchanged();
            let now = self.clock.in_database();
            let received = self.claim(max, now).await?;
            if !received.is_empty() || Instant::now() >= deadline {
                return Ok(received);
            }
            let next_look = self.next_look(now).await?;
            tokio::select! {
                _ = wakeups.changed() => {}
                () = self.clock.sleep_until(next_look) => {}
                () = tokio::time::sleep_until(deadline.min(Instant::now() + SLOW_POLL)) => {}
            }
        }
    }

    async fn acknowledge(&self, receipt: &Receipt) -> Result<(), QueueError> {
        let (id, receipt) = parse(receipt)?;
        let statement = sqlx::query!(
            r#"
            delete from queue_messages
            where id = $1 and receipt = $2 and dead_since is null
            "#,
            id,
            receipt,
        );
        self.execute(statement).await.context("acknowledging a message")?;
        Ok(())
    }

    async fn keep_invisible(&self, receipt: &Receipt, time: Duration) -> Result<(), QueueError> {
        let (id, receipt) = parse(receipt)?;
        let statement = sqlx::query!(
            r#"
            with kept as (
                update queue_messages
                set visible_at = coalesce($3, now()) + $4
                where id = $1 and receipt = $2 and dead_since is null
                returning id
            )
            select pg_notify($5, '') from kept where $4 = interval '0'
            "#,
            id,
            receipt,
            self.clock.in_database(),
            interval(time),
            wakeups::CHANNEL,
        );
        self.execute(statement).await.context("keeping a message invisible")?;
        Ok(())
    }

    async fn send(&self, messages: &[Outgoing]) -> Result<(), SendError> {
        let mut unsent = Unsent::default();
        let acceptable = limits::acceptable(messages, &mut unsent);
        for positions in acceptable.chunks(INSERTED_AT_ONCE) {
            if let Err(error) = self.insert(messages, positions).await {
                unsent.note(positions.iter().copied(), error);
            }
        }
        unsent.into_result()
    }

    async fn dead_letter(&self, message: &Received, reason: &str) -> Result<(), QueueError> {
        Ok(self.bury(&message.receipt, reason).await?)
    }

    async fn dead_letters(&self, max: usize) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(self.list_dead_letters(max).await?)
    }

    async fn requeue_dead_letters(&self, max: usize) -> Result<usize, QueueError> {
        Ok(self.revive_dead_letters(max).await?)
    }

    async fn check(&self) -> Result<(), QueueError> {
        let statement = sqlx::query!(r#"select exists (select from queue_messages) as "some!""#);
        self.fetch_one(statement).await.context("looking at the queue's table")?;
        Ok(())
    }

    async fn depth(&self) -> Result<u64, QueueError> {
        let statement = sqlx::query!(
            r#"
            select count(*) as "count!"
            from queue_messages
            where dead_since is null and visible_at <= coalesce($1, now())
            "#,
            self.clock.in_database(),
        );
        let count = self.fetch_one(statement.map(|row| row.count));
        let count = count.await.context("counting the messages")?;
        Ok(u64::try_from(count).context("a count is not negative")?)
    }
}

impl PostgresQueue {
    async fn execute(&self, statement: Query<'_, Postgres, PgArguments>) -> anyhow::Result<()> {
        let mut connection = self.connection().await?;
        match timeout(ANSWER_WITHIN, statement.execute(&mut *connection)).await {
            Ok(result) => {
                result?;
                Ok(())
            }
            Err(_elapsed) => Err(abandon(connection)),
        }
    }

    async fn fetch<O: Send + Unpin>(
        &self,
        statement: Map<'_, Postgres, impl FnMut(PgRow) -> sqlx::Result<O> + Send, PgArguments>,
    ) -> anyhow::Result<Vec<O>> {
        let mut connection = self.connection().await?;
        match timeout(ANSWER_WITHIN, statement.fetch_all(&mut *connection)).await {
            Ok(rows) => Ok(rows?),
            Err(_elapsed) => Err(abandon(connection)),
        }
    }

    /// Of a statement that always has one row.
    async fn fetch_one<O: Send + Unpin>(
        &self,
        statement: Map<'_, Postgres, impl FnMut(PgRow) -> sqlx::Result<O> + Send, PgArguments>,
    ) -> anyhow::Result<O> {
        self.fetch(statement).await?.pop().context("a row was expected")
    }

    async fn connection(&self) -> anyhow::Result<PoolConnection<Postgres>> {
        let acquired = timeout(ANSWER_WITHIN, self.pool.acquire()).await;
        Ok(acquired.context("no connection to the database in time")??)
    }
}

/// A connection that does not answer would not answer the pool's questions either, and hold its
/// place there.
fn abandon(mut connection: PoolConnection<Postgres>) -> anyhow::Error {
    connection.close_on_drop();
    anyhow!("the database does not answer")
}

fn parse(receipt: &Receipt) -> anyhow::Result<(i64, Uuid)> {
    let parts = receipt
        .0
        .split_once(':')
        .and_then(|(id, stamp)| Some((id.parse().ok()?, stamp.parse().ok()?)));
    parts.ok_or_else(|| anyhow!("the receipt {:?} is not one of this queue", receipt.0))
}

fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}

/// PostgreSQL counts microseconds.
fn interval(time: Duration) -> PgInterval {
    let microseconds = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    PgInterval { microseconds, ..PgInterval::default() }
}
