//! How many records of a kind's limit are left in this window. One row per window, shared by all
//! workers and both modes.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::{Result, Store};
use crate::domain::{RecordLimit, RunMode};

/// What is left of a record limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaLeft {
    pub records: u64,
    /// The window they are left in; what is fetched now counts against it.
    pub window: QuotaWindow,
    /// How long until counting begins anew.
    pub resets_in: Duration,
}

/// The window that an instant lies in: windows follow each other without gaps, from the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaWindow {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

impl QuotaWindow {
    pub fn containing(now: DateTime<Utc>, limit: &RecordLimit) -> Self {
        let length = limit.per.as_secs().max(1) as i64;
        let start = now.timestamp().div_euclid(length) * length;
        let start = DateTime::from_timestamp(start, 0).unwrap_or(now);
        Self { start, end: start + TimeDelta::seconds(length) }
    }
}

impl Store {
    pub async fn quota_left(
        &self,
        kind: &str,
        limit: &RecordLimit,
        mode: RunMode,
    ) -> Result<QuotaLeft> {
        let now = self.now().await?;
        let window = QuotaWindow::containing(now, limit);
        let used = sqlx::query_scalar!(
            "select used from quota_windows where kind = $1 and scope = 'records' and window_start = $2",
            kind,
            window.start,
        )
        .fetch_optional(&self.pool)
        .await?
        .unwrap_or(0);
        let records = limit.records_for(mode).saturating_sub(used.max(0) as u64);
        let resets_in = (window.end - now).to_std().unwrap_or_default();
        Ok(QuotaLeft { records, window, resets_in })
    }
}

/// Spends records in the page's transaction: counted if and only if the page is committed.
pub(super) async fn spend(
    tx: &mut PgConnection,
    kind: &str,
    window: QuotaWindow,
    records: i64,
) -> Result<()> {
    sqlx::query!(
        r#"
        insert into quota_windows (kind, scope, window_start, window_end, used)
        values ($1, 'records', $2, $3, $4)
        on conflict (kind, scope, window_start) do update set used = quota_windows.used + excluded.used
        "#,
        kind,
        window.start,
        window.end,
        records,
    )
    .execute(tx)
    .await?;
    Ok(())
}
