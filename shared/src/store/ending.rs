//! Letting go of a run: handed back, delayed, finished, failed. Every statement names the lease.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::{Result, Store, StoreError, activities, clean};
use crate::domain::{DelayReason, Lease, RunId, RunState};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// `Processed`, or `Error` if there is a hole.
    pub state: RunState,
    pub streams_processed: i64,
    pub streams_failed: i64,
    pub records: i64,
    /// An onboarding was asked for meanwhile, and follows as this run.
    pub follow_up: Option<RunId>,
}

/// Why a run cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFailure {
    pub error: String,
    /// The platform refused our credentials: nothing is fetched until the tenant reconnects.
    pub needs_reconnect: bool,
}

impl Store {
    /// Gives the run back, to be claimed by whoever hears of it next. Costs no attempt of anything.
    pub async fn hand_back(&self, lease: Lease) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        let done = sqlx::query!(
            r#"
            update integration_runs r
            set state = 'pending', lease_token = null, lease_holder = null, lease_until = null,
                -- A paused integration gets its message when it is resumed.
                send_at = case when i.status = 'active' then coalesce($3::timestamptz, now()) end
            from integrations i
            where r.id = $1 and r.lease_token = $2 and i.id = r.integration_id
            "#,
            lease.run_id.0,
            lease.token,
            self.clock.in_database(),
        )
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::LeaseLost);
        }
        free_streams(&mut tx, lease).await?;
        Ok(tx.commit().await?)
    }

    /// Puts the run to sleep for a while, or until its next stream is due. An `error` is what it is to
    /// be retried after, and costs the run an attempt. Until when it sleeps.
    pub async fn delay_run(
        &self,
        lease: Lease,
        after: Option<Duration>,
        reason: DelayReason,
        error: Option<&str>,
        requests: u64,
    ) -> Result<DateTime<Utc>> {
        let mut tx = self.pool.begin().await?;
        let until = sqlx::query_scalar!(
            r#"
            with wake as (
                select coalesce(
                    coalesce($7::timestamptz, now()) + make_interval(secs => $3),
                    (select min(due_at) from integration_streams where run_id = $1 and state = 'pending'),
                    $7,
                    now()
                ) as at
            )
            update integration_runs r
            set state = 'delayed', delayed_until = wake.at, delay_reason = $4,
                send_at = case when i.status = 'active' then wake.at end,
                lease_token = null, lease_holder = null, lease_until = null,
                error = coalesce($5, error),
                attempts = attempts + ($5::text is not null)::int,
                requests = requests + $6
            from wake, integrations i
            where r.id = $1 and r.lease_token = $2 and i.id = r.integration_id
            returning delayed_until as "until!"
            "#,
            lease.run_id.0,
            lease.token,
            after.map(|after| after.as_secs_f64()),
            reason.as_str(),
            error.map(|error| clean::text(error).into_owned()),
            requests as i64,
            self.clock.in_database(),
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(StoreError::LeaseLost)?;
        free_streams(&mut tx, lease).await?;
        tx.commit().await?;
        Ok(until)
    }

    /// Ends a run of which every stream has ended: processed if all of them were, error if one was
    /// not. What the integration wants to remember is stored with it.
    pub async fn finish_run(
        &self,
        lease: Lease,
        state: Option<Value>,
        requests: u64,
    ) -> Result<Finished> {
        let mut tx = self.pool.begin().await?;
        lock_integration(&mut tx, lease).await?;
        let error = sqlx::query_scalar!(
            r#"
            select format('%s: %s', name, error) as "error!"
            from integration_streams
            where run_id = $1 and state = 'error'
            order by processed_at
            limit 1
            "#,
            lease.run_id.0,
        )
        .fetch_optional(&mut *tx)
        .await?;
        let finished =
            end_run(&mut tx, lease, error.as_deref(), requests, self.clock.in_database()).await?;
        sqlx::query!(
            r#"
            update integrations i
            set state = coalesce($2, i.state),
                onboarded_at = case when r.onboarding and r.state = 'processed' then r.processed_at else i.onboarded_at end
            from integration_runs r
            where r.id = $1 and i.id = r.integration_id
            "#,
            lease.run_id.0,
            state.map(clean::json),
        )
        .execute(&mut *tx)
        .await?;
        // What was stored before its parent, by whichever run: at the last finish both are there.
        activities::attach_waiting_children(&mut tx, lease.run_id).await?;
        let follow_up = start_follow_up(&mut tx, lease.run_id, self.clock.in_database()).await?;
        tx.commit().await?;
        Ok(Finished { follow_up, ..finished })
    }

    /// Ends a run that cannot go on. Streams that were not reached stay pending, for `continue-run`.
    pub async fn fail_run(
        &self,
        lease: Lease,
        failure: &RunFailure,
        requests: u64,
    ) -> Result<Finished> {
        let mut tx = self.pool.begin().await?;
        lock_integration(&mut tx, lease).await?;
        free_streams(&mut tx, lease).await?;
        let now = self.clock.in_database();
        let finished = end_run(&mut tx, lease, Some(&failure.error), requests, now).await?;
        if failure.needs_reconnect {
            sqlx::query!(
                r#"
                update integrations i
                set status = 'needs_reconnect', status_reason = $2
                from integration_runs r
                where r.id = $1 and i.id = r.integration_id
                "#,
                lease.run_id.0,
                &*clean::text(&failure.error),
            )
            .execute(&mut *tx)
            .await?;
        }
        let follow_up = start_follow_up(&mut tx, lease.run_id, now).await?;
        tx.commit().await?;
        Ok(Finished { follow_up, ..finished })
    }
}

/// Whoever makes or ends a run locks its integration first, so that a run asked for at the very end
/// of another is either joined to it or follows it, and is never lost between them.
async fn lock_integration(tx: &mut PgConnection, lease: Lease) -> Result<()> {
    let locked = sqlx::query_scalar!(
        r#"
        select i.id
        from integration_runs r join integrations i on i.id = r.integration_id
        where r.id = $1 and r.lease_token = $2
        for no key update of i
        "#,
        lease.run_id.0,
        lease.token,
    )
    .fetch_optional(tx)
    .await?;
    locked.map(drop).ok_or(StoreError::LeaseLost)
}

/// With an error the run ends in it; without, it must have no unfinished stream.
async fn end_run(
    tx: &mut PgConnection,
    lease: Lease,
    error: Option<&str>,
    requests: u64,
    now: Option<DateTime<Utc>>,
) -> Result<Finished> {
    let ended = sqlx::query!(
        r#"
        with counts as (
            select
                count(*) filter (where state = 'processed') as processed,
                count(*) filter (where state = 'error') as failed,
                count(*) filter (where state in ('pending', 'processing')) as unfinished,
                coalesce(sum(records), 0)::bigint as records
            from integration_streams
            where run_id = $1
        )
        update integration_runs r
        set state = case when $3::text is null then 'processed'::run_state else 'error' end,
            error = case when $3 is null then null
                when counts.failed > 0
                    then format('%s of %s streams failed; the first: %s', counts.failed, counts.failed + counts.processed, $3)
                else $3 end,
            processed_at = coalesce($5::timestamptz, now()),
            send_at = null, lease_token = null, lease_holder = null, lease_until = null,
            streams_processed = counts.processed,
            streams_failed = counts.failed,
            records = counts.records,
            requests = r.requests + $4
        from counts
        where r.id = $1 and r.lease_token = $2 and ($3::text is not null or counts.unfinished = 0)
        returning
            r.state as "state: RunState",
            r.streams_processed as "streams_processed!",
            r.streams_failed as "streams_failed!",
            r.records as "records!"
        "#,
        lease.run_id.0,
        lease.token,
        error.map(|error| clean::text(error).into_owned()),
        requests as i64,
        now,
    )
    .fetch_optional(tx)
    .await?
    .ok_or(StoreError::LeaseLost)?;
    Ok(Finished {
        state: ended.state,
        streams_processed: ended.streams_processed,
        streams_failed: ended.streams_failed,
        records: ended.records,
        follow_up: None,
    })
}

async fn start_follow_up(
    tx: &mut PgConnection,
    after: RunId,
    now: Option<DateTime<Utc>>,
) -> Result<Option<RunId>> {
    let id = sqlx::query_scalar!(
        r#"
        with wanted as (
            update integrations i
            set onboarding_wanted = false
            from integration_runs r
            where r.id = $1 and i.id = r.integration_id and i.onboarding_wanted
            returning i.id, i.status
        )
        insert into integration_runs (id, integration_id, onboarding, requested_by, send_at)
        select $2, id, true, 'follow_up', case when status = 'active' then coalesce($3::timestamptz, now()) end
        from wanted
        returning id as "id: RunId"
        "#,
        after.0,
        RunId::new().0,
        now,
    );
    Ok(id.fetch_optional(tx).await?)
}

/// Streams in flight go back to pending, and no attempt of theirs is spent.
async fn free_streams(tx: &mut PgConnection, lease: Lease) -> Result<()> {
    sqlx::query!(
        r#"
        update integration_streams
        set state = 'pending', lease_token = null
        where run_id = $1 and state = 'processing' and lease_token = $2
        "#,
        lease.run_id.0,
        lease.token,
    )
    .execute(tx)
    .await?;
    Ok(())
}
