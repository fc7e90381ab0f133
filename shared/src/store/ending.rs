//! Ending a run: finished, or failed. Every statement names the lease.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::rest::free_streams;
use super::{Result, Store, StoreError, clean};
use crate::domain::{Lease, RunId, RunState};

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
    /// By this, its integration needs to be reconnected.
    pub withdrawn: bool,
}

/// Why a run cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFailure {
    pub error: String,
    /// The platform refused our credentials: nothing is fetched until the tenant reconnects.
    pub needs_reconnect: bool,
}

impl Store {
    /// Ends a run of which every stream has ended: processed if all of them were, error if one was
    /// not. What the integration wants to remember is stored with it.
    ///
    /// If somebody put streams of it back meanwhile, it is handed back instead, and ours no longer.
    pub async fn finish_run(
        &self,
        lease: Lease,
        state: Option<Value>,
        requests: u64,
    ) -> Result<Finished> {
        let now = self.clock.in_database();
        self.attach_waiting_children(lease.run_id).await?;
        let mut tx = self.begin_by_index().await?;
        lock_integration(&mut tx, lease).await?;
        let standing = Standing::of(&mut tx, lease.run_id).await?;
        if standing.unfinished > 0 {
            tx.rollback().await?;
            self.hand_back(lease).await?;
            return Err(StoreError::LeaseLost);
        }
        end_run(&mut tx, lease, &standing, standing.hole().as_deref(), requests, now).await?;
        remember(&mut tx, lease.run_id, state).await?;
        let follow_up = follow_up(&mut tx, lease.run_id, now).await?;
        tx.commit().await?;
        let state = if standing.failed == 0 { RunState::Processed } else { RunState::Error };
        Ok(standing.finished(state, follow_up))
    }

    /// Ends a run that cannot go on. Streams that were not reached stay pending, for `continue-run`.
    pub async fn fail_run(
        &self,
        lease: Lease,
        failure: &RunFailure,
        requests: u64,
    ) -> Result<Finished> {
        let now = self.clock.in_database();
        let error = clean::text(&failure.error);
        self.attach_waiting_children(lease.run_id).await?;
        let mut tx = self.begin_by_index().await?;
        lock_integration(&mut tx, lease).await?;
        let standing = Standing::of(&mut tx, lease.run_id).await?;
        end_run(&mut tx, lease, &standing, Some(&error), requests, now).await?;
        // After the run: whoever claims it locks it first and its streams afterwards, too.
        free_streams(&mut tx, lease).await?;
        let withdrawn =
            failure.needs_reconnect && need_reconnect(&mut tx, lease.run_id, &error).await?;
        let follow_up = follow_up(&mut tx, lease.run_id, now).await?;
        tx.commit().await?;
        Ok(Finished { withdrawn, ..standing.finished(RunState::Error, follow_up) })
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

/// How the streams of a run stand at its end.
struct Standing {
    processed: i64,
    failed: i64,
    unfinished: i64,
    records: i64,
    first_error: Option<String>,
}

impl Standing {
    async fn of(tx: &mut PgConnection, run: RunId) -> Result<Self> {
        let standing = sqlx::query_as!(
            Self,
            r#"
            select
                count(*) filter (where state = 'processed') as "processed!",
                count(*) filter (where state = 'error') as "failed!",
                count(*) filter (where state in ('pending', 'processing')) as "unfinished!",
                coalesce(sum(records), 0)::bigint as "records!",
                (
                    select format('%s: %s', name, error)
                    from integration_streams
                    where run_id = $1 and state = 'error'
                    order by processed_at
                    limit 1
                ) as first_error
            from integration_streams
            where run_id = $1
            "#,
            run.0,
        );
        Ok(standing.fetch_one(tx).await?)
    }

    /// What is missing, if anything is.
    fn hole(&self) -> Option<String> {
        let Self { failed, processed, .. } = self;
        let first = self.first_error.as_ref()?;
        Some(format!("{failed} of {} streams failed; the first: {first}", failed + processed))
    }

    fn finished(&self, state: RunState, follow_up: Option<RunId>) -> Finished {
        Finished {
            state,
            streams_processed: self.processed,
            streams_failed: self.failed,
            records: self.records,
            follow_up,
            withdrawn: false,
        }
    }
}

/// Ends it in the error, or as processed if there is none.
async fn end_run(
    tx: &mut PgConnection,
    lease: Lease,
    standing: &Standing,
    error: Option<&str>,
    requests: u64,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let ended = sqlx::query!(
        r#"
        update integration_runs
        set state = case when $3::text is null then 'processed'::run_state else 'error' end,
            error = $3,
            processed_at = coalesce($8::timestamptz, now()),
            send_at = null, lease_token = null, lease_holder = null, lease_until = null,
            streams_processed = $4, streams_failed = $5, records = $6,
            requests = requests + $7
        where id = $1 and lease_token = $2
        "#,
        lease.run_id.0,
        lease.token,
        error,
        standing.processed,
        standing.failed,
        standing.records,
        requests as i64,
        now,
    )
    .execute(tx)
    .await?;
    if ended.rows_affected() == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
}

async fn remember(tx: &mut PgConnection, run: RunId, state: Option<Value>) -> Result<()> {
    sqlx::query!(
        r#"
        update integrations i
        set state = coalesce($2, i.state),
            onboarded_at = case when r.onboarding and r.state = 'processed' then r.processed_at else i.onboarded_at end
        from integration_runs r
        where r.id = $1 and i.id = r.integration_id
        "#,
        run.0,
        state.map(clean::json),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Whether it did not need to before.
async fn need_reconnect(tx: &mut PgConnection, run: RunId, why: &str) -> Result<bool> {
    let withdrawn = sqlx::query!(
        r#"
        update integrations i
        set status = 'needs_reconnect', status_reason = $2
        from integration_runs r
        where r.id = $1 and i.id = r.integration_id and i.status <> 'needs_reconnect'
            -- One that is valid by now was brought meanwhile.
            and not exists (select from credentials c where c.id = i.credential_id and c.state = 'valid')
        "#,
        run.0,
        why,
    )
    .execute(tx)
    .await?;
    Ok(withdrawn.rows_affected() == 1)
}

/// An onboarding that was asked for meanwhile follows.
async fn follow_up(
    tx: &mut PgConnection,
    run: RunId,
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
        run.0,
        RunId::new().0,
        now,
    );
    Ok(id.fetch_optional(tx).await?)
}
