//! What comes of a discovery: a list, a reason, or a wait. Every such write names the lease.

use std::time::Duration;

use super::discoveries::fenced;
use super::{ClaimedDiscovery, DiscoveryLease, Result, Store, clean};
use crate::domain::{ATTEMPTS, ExternalSyncUnit};

impl Store {
    pub async fn finish_discovery(
        &self,
        lease: DiscoveryLease,
        units: &[ExternalSyncUnit],
        requests: u64,
    ) -> Result<()> {
        let units = serde_json::to_value(units).unwrap_or_default();
        let finished = sqlx::query!(
            r#"
            update discoveries
            set state = 'done', units = $3, error = null, lease_token = null, send_at = null,
                requests = requests + $4, processed_at = coalesce($5::timestamptz, now())
            where id = $1 and lease_token = $2
            "#,
            lease.id.0,
            lease.token,
            clean::json(units),
            requests as i64,
            self.clock.in_database(),
        );
        fenced(finished.execute(&self.pool).await?.rows_affected())
    }

    pub async fn fail_discovery(
        &self,
        lease: DiscoveryLease,
        reason: &str,
        requests: u64,
    ) -> Result<()> {
        let reason = clean::text(reason);
        let failed = sqlx::query!(
            r#"
            update discoveries
            set state = 'error', error = $3, lease_token = null, send_at = null,
                requests = requests + $4, processed_at = coalesce($5::timestamptz, now())
            where id = $1 and lease_token = $2
            "#,
            lease.id.0,
            lease.token,
            &*reason,
            requests as i64,
            self.clock.in_database(),
        );
        fenced(failed.execute(&self.pool).await?.rows_affected())
    }

    /// Lets it wait. With an error it has failed once more; without one it costs no attempt.
    pub async fn delay_discovery(
        &self,
        lease: DiscoveryLease,
        after: Duration,
        error: Option<&str>,
        requests: u64,
    ) -> Result<()> {
        let error = error.map(clean::text);
        let delayed = sqlx::query!(
            r#"
            update discoveries
            set state = 'pending', lease_token = null, error = $4,
                attempts = attempts + ($4::text is not null)::int,
                due_at = coalesce($6::timestamptz, now()) + make_interval(secs => $3),
                send_at = coalesce($6, now()) + make_interval(secs => $3),
                requests = requests + $5
            where id = $1 and lease_token = $2
            "#,
            lease.id.0,
            lease.token,
            after.as_secs_f64(),
            error.as_deref(),
            requests as i64,
            self.clock.in_database(),
        );
        fenced(delayed.execute(&self.pool).await?.rows_affected())
    }
}

impl ClaimedDiscovery {
    /// Whether a failure now would be the last.
    pub fn is_last_attempt(&self) -> bool {
        self.attempts + 1 >= ATTEMPTS
    }

    /// Whether too many workers died over it, or it failed too often, to be tried again.
    pub fn is_spent(&self) -> bool {
        self.attempts >= ATTEMPTS
    }
}
