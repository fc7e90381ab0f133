//! Streams: listing them, taking the next ones, and what becomes of those that did not go well.
//! What becomes of the others is in `commit.rs`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, Store, StoreError, clean};
use crate::domain::{Lease, RawStream, RunId, Stream, StreamId, StreamState};
use crate::sdk::EndedStream;

/// How many streams of a run are where, and how much they brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamCounts {
    pub pending: i64,
    pub processing: i64,
    pub processed: i64,
    pub failed: i64,
    pub records: i64,
    /// Provider requests, failed attempts included.
    pub requests: i64,
    /// When the earliest pending stream is due.
    pub next_due_at: Option<DateTime<Utc>>,
}

/// Why a stream that was stepped is not processed.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamSetback {
    /// It failed, and is tried again; costs an attempt.
    Again { after: Duration, error: String },
    /// It has to wait; costs nothing.
    NotNow { after: Duration },
    /// It is given up; its siblings go on.
    Never { error: String },
}

impl Store {
    /// Stores a run's first streams. From here on it resumes instead of listing again.
    pub async fn list_streams(
        &self,
        lease: Lease,
        streams: &[RawStream],
        requests: u64,
    ) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        let listed = sqlx::query_scalar!(
            r#"
            update integration_runs
            set listed_at = coalesce($4::timestamptz, now()), requests = requests + $3, attempts = 0, crashes = 0, error = null
            where id = $1 and lease_token = $2
            returning listed_at as "listed_at!"
            "#,
            lease.run_id.0,
            lease.token,
            requests as i64,
            self.clock.in_database(),
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(StoreError::LeaseLost)?;
        add_streams(&mut tx, lease.run_id, streams, listed).await?;
        Ok(tx.commit().await?)
    }

    /// Takes up to `limit` due streams into processing, oldest due first.
    ///
    /// Streams that were in flight when a worker died are `suspects`: they are taken apart from the
    /// others, to be stepped alone, so that a stream that kills its worker is told from the innocent
    /// ones beside it.
    pub async fn take_streams(
        &self,
        lease: Lease,
        limit: usize,
        suspects: bool,
    ) -> Result<Vec<Stream>> {
        let streams = sqlx::query_as!(
            Stream,
            r#"
            with ours as (
                -- Shared, so that a takeover waits for this statement, and frees what it takes.
                select id from integration_runs where id = $1 and lease_token = $2 for share
            ), next as (
                -- The run by its id, not joined to `ours`: then the index gives the order, and what
                -- else is pending is not looked at.
                select id
                from integration_streams
                where run_id = $1 and exists (select from ours)
                    and state = 'pending'
                    and due_at <= coalesce($5::timestamptz, now())
                    and (crashes > 0) = $4
                order by due_at, id
                limit $3
            )
            update integration_streams s
            set state = 'processing', lease_token = $2
            from next
            where s.id = next.id
            returning
                s.id as "id: StreamId", s.run_id as "run_id: RunId", s.name, s.payload,
                s.state as "state: StreamState", s.due_at, s.attempts, s.crashes, s.records, s.requests,
                s.created_at, s.processed_at, s.error
            "#,
            lease.run_id.0,
            lease.token,
            limit as i64,
            suspects,
            self.clock.in_database(),
        );
        Ok(streams.fetch_all(&self.pool).await?)
    }

    /// Notes that a stream did not go well, if it is still ours. That it came this far forgives it the
    /// workers that died over it before: those are counted in a row.
    pub async fn set_back(
        &self,
        lease: Lease,
        stream: StreamId,
        setback: &StreamSetback,
        requests: u64,
    ) -> Result<()> {
        let (state, after, error, attempts) = match setback {
            StreamSetback::Again { after, error } => {
                (StreamState::Pending, Some(*after), Some(error), 1)
            }
            StreamSetback::NotNow { after } => (StreamState::Pending, Some(*after), None, 0),
            StreamSetback::Never { error } => (StreamState::Error, None, Some(error), 1),
        };
        let done = sqlx::query!(
            r#"
            update integration_streams
            set state = $3,
                lease_token = null,
                due_at = coalesce(coalesce($8::timestamptz, now()) + make_interval(secs => $4), due_at),
                error = coalesce($5, error),
                attempts = attempts + $6,
                crashes = 0,
                requests = requests + $7,
                processed_at = case when $3 = 'error'::stream_state then coalesce($8, now()) end
            where id = $1 and lease_token = $2
            "#,
            stream.0,
            lease.token,
            state as StreamState,
            after.map(|after| after.as_secs_f64()),
            error.map(|error| clean::text(error).into_owned()),
            attempts,
            requests as i64,
            self.clock.in_database(),
        )
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
    }

    /// Puts off the streams of this name that are due: a sibling was told to wait so long, and so
    /// would they be.
    pub async fn put_off(&self, lease: Lease, name: &str, after: Duration) -> Result<()> {
        let name = clean::key(name);
        sqlx::query!(
            r#"
            with siblings as (
                select id
                from integration_streams
                where run_id = $1 and name = $3
                    and state = 'pending'
                    and due_at <= coalesce($5::timestamptz, now())
                    and exists (select from integration_runs where id = $1 and lease_token = $2)
                -- What another sibling puts off needs no second time.
                for update skip locked
            )
            update integration_streams s
            set due_at = coalesce($5::timestamptz, now()) + make_interval(secs => $4)
            from siblings
            where s.id = siblings.id
            "#,
            lease.run_id.0,
            lease.token,
            &*name,
            after.as_secs_f64(),
            self.clock.in_database(),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    pub async fn count_streams(&self, run: RunId) -> Result<StreamCounts> {
        let counts = sqlx::query_as!(
            StreamCounts,
            r#"
            select
                count(*) filter (where state = 'pending') as "pending!",
                count(*) filter (where state = 'processing') as "processing!",
                count(*) filter (where state = 'processed') as "processed!",
                count(*) filter (where state = 'error') as "failed!",
                coalesce(sum(records), 0)::bigint as "records!",
                coalesce(sum(requests), 0)::bigint as "requests!",
                min(due_at) filter (where state = 'pending') as next_due_at
            from integration_streams
            where run_id = $1
            "#,
            run.0,
        );
        Ok(counts.fetch_one(&self.pool).await?)
    }

    /// When the run's earliest pending stream is due; `None` if none is pending.
    pub async fn next_due(&self, run: RunId) -> Result<Option<DateTime<Utc>>> {
        let next = sqlx::query_scalar!(
            r#"select due_at from integration_streams where run_id = $1 and state = 'pending' order by due_at limit 1"#,
            run.0,
        );
        Ok(next.fetch_optional(&self.pool).await?)
    }

    /// How the streams of a run ended, for `postprocess`: their payloads as text, since there may be a
    /// hundred thousand, and trees of JSON take more room.
    pub async fn ended_streams(&self, run: RunId) -> Result<Vec<EndedStream<String>>> {
        let ended = sqlx::query!(
            r#"
            select payload::text as "payload!", state = 'error' as "failed!", mark
            from integration_streams
            where run_id = $1 and state in ('processed', 'error')
            order by processed_at, id
            "#,
            run.0,
        )
        .fetch(&self.pool)
        .map_ok(|row| EndedStream {
            stream: row.payload,
            failed: row.failed,
            mark: row.mark,
        });
        Ok(ended.try_collect().await?)
    }

    /// A page of a run's streams, in the order of their ids, optionally those in one state.
    pub async fn streams(
        &self,
        run: RunId,
        state: Option<StreamState>,
        after: Option<StreamId>,
        limit: i64,
    ) -> Result<Vec<Stream>> {
        let streams = sqlx::query_as!(
            Stream,
            r#"
            select
                id as "id: StreamId", run_id as "run_id: RunId", name, payload, state as "state: StreamState",
                due_at, attempts, crashes, records, requests, created_at, processed_at, error
            from integration_streams
            where run_id = $1
                and ($2::stream_state is null or state = $2)
                and ($3::uuid is null or id > $3)
            order by id
            limit $4
            "#,
            run.0,
            state as Option<StreamState>,
            after.map(|id| id.0),
            limit,
        );
        Ok(streams.fetch_all(&self.pool).await?)
    }
}

/// Adds the streams that the run does not have yet.
pub(super) async fn add_streams(
    tx: &mut PgConnection,
    run: RunId,
    streams: &[RawStream],
    due_at: DateTime<Utc>,
) -> Result<()> {
    if streams.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = streams.iter().map(|_| StreamId::new().0).collect();
    let names: Vec<String> =
        streams.iter().map(|stream| clean::key(&stream.name).into_owned()).collect();
    let payloads: Vec<Value> =
        streams.iter().map(|stream| clean::json(stream.payload.clone())).collect();
    sqlx::query!(
        r#"
        insert into integration_streams (id, run_id, name, payload, due_at)
        select id, $1, name, payload, $5
        from unnest($2::uuid[], $3::text[], $4::jsonb[]) as stream (id, name, payload)
        -- In one order, so that two transactions adding the same streams do not deadlock.
        order by name, md5(payload::text)
        on conflict (run_id, name, md5(payload::text)) do nothing
        "#,
        run.0,
        &ids,
        &names,
        &payloads,
        due_at,
    )
    .execute(tx)
    .await?;
    Ok(())
}
