//! Putting a run to rest: handed back, or delayed. Every statement names the lease.
//!
//! Whether a message is wanted a run says by itself: its `send_at` is null while its integration is
//! paused or must be reconnected. Looking at the integration instead would be a race, with whoever
//! resumes it at that moment.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Result, Store, StoreError, clean};
use crate::domain::{DelayReason, Lease};

impl Store {
    /// Gives the run back, to be claimed by whoever hears of it next. Costs no attempt of anything, and
    /// what it failed or crashed before is forgiven, since those are counted in a row.
    pub async fn hand_back(&self, lease: Lease) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        let done = sqlx::query!(
            r#"
            update integration_runs
            set state = 'pending', lease_token = null, lease_holder = null, lease_until = null,
                send_at = case when send_at is not null then coalesce($3::timestamptz, now()) end,
                attempts = 0, crashes = 0
            where id = $1 and lease_token = $2
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
    /// be retried after, and costs the run an attempt; without one those before are forgiven. Until
    /// when it sleeps.
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
            update integration_runs
            set state = 'delayed', delayed_until = wake.at, delay_reason = $4,
                send_at = case when send_at is not null then wake.at end,
                lease_token = null, lease_holder = null, lease_until = null,
                error = coalesce($5, error),
                attempts = case when $5::text is null then 0 else attempts + 1 end,
                crashes = 0,
                requests = requests + $6
            from wake
            where id = $1 and lease_token = $2
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
}

/// Streams in flight go back to pending, and no attempt of theirs is spent.
pub(super) async fn free_streams(tx: &mut PgConnection, lease: Lease) -> Result<()> {
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
