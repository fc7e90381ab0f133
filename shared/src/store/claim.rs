//! Taking a run and keeping it. New, woken and abandoned runs are claimed by the same statement.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, Store};
use crate::domain::{
    CredentialId, IntegrationId, IntegrationStatus, Lease, RunId, RunMode, TenantId,
};

/// A run in our hands, with what is needed to begin it.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub lease: Lease,
    pub tenant_id: TenantId,
    pub integration_id: IntegrationId,
    pub kind: String,
    pub mode: RunMode,
    pub started_at: DateTime<Utc>,
    pub settings: Value,
    pub state: Option<Value>,
    pub units: Vec<String>,
    /// What lets it in; `None` where the platform is open to everybody.
    pub credential: Option<ClaimedCredential>,
    /// Its first streams are stored: it resumes.
    pub listed: bool,
    /// Failures to begin or to close it in a row.
    pub attempts: i32,
    /// Workers that died in a row while beginning or closing it.
    pub crashes: i32,
    /// Its last holder stopped without handing it back.
    pub abandoned: bool,
}

/// The credential that a run was claimed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimedCredential {
    pub id: CredentialId,
    /// How often its tenant had brought another by then.
    pub replacements: i32,
    /// What its requests are counted as.
    pub counted_as: Uuid,
}

impl ClaimedCredential {
    pub(super) fn of(
        id: Option<CredentialId>,
        replacements: Option<i32>,
        counted_as: Option<Uuid>,
    ) -> Option<Self> {
        Some(Self { id: id?, replacements: replacements?, counted_as: counted_as? })
    }
}

/// What came of extending a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Ours,
    /// Still ours, but its tenant paused the integration or must reconnect it: hand it back.
    Withdrawn,
    /// Somebody else claimed it, or it is gone: stop, quietly.
    Lost,
}

impl Store {
    /// Claims the run if it is there to be claimed; `None` if it waits, is held, is finished, is
    /// withdrawn by its tenant, or is not there at all.
    ///
    /// Streams that a dead worker left in processing go back to pending with one more crash; at
    /// [`Store::CRASHES`] they are given up. If it left none, the crash is the run's: it died while
    /// beginning or closing it.
    pub async fn claim_run(
        &self,
        run: RunId,
        holder: &str,
        length: Duration,
    ) -> Result<Option<Claimed>> {
        let token = Uuid::new_v4();
        let mut tx = self.pool.begin().await?;
        let mut claimed = sqlx::query!(
            r#"
            with candidate as (
                select r.id, r.state = 'processing' as abandoned
                from integration_runs r
                where r.id = $1
                    and (
                        r.state = 'pending'
                        or (r.state = 'delayed' and r.delayed_until <= coalesce($5::timestamptz, now()))
                        or (r.state = 'processing' and r.lease_until < coalesce($5, now()))
                    )
                for no key update
            )
            update integration_runs r
            set state = 'processing',
                delayed_until = null,
                delay_reason = null,
                lease_token = $2,
                lease_holder = $3,
                lease_until = coalesce($5, now()) + make_interval(secs => $4),
                send_at = coalesce($5, now()) + make_interval(secs => $4),
                sends = 0,
                started_at = coalesce(r.started_at, $5, now())
            from candidate, integrations i left join credentials c on c.id = i.credential_id
            where r.id = candidate.id and i.id = r.integration_id and i.status = 'active'
            returning
                i.tenant_id as "tenant_id: TenantId",
                i.id as "integration_id: IntegrationId",
                i.kind,
                r.onboarding,
                r.started_at as "started_at!",
                i.settings,
                i.state,
                i.units,
                i.credential_id as "credential_id: CredentialId",
                c.replacements as "replacements?",
                c.counted_as as "counted_as?",
                r.listed_at is not null as "listed!",
                r.attempts,
                r.crashes,
                candidate.abandoned as "abandoned!"
            "#,
            run.0,
            token,
            holder,
            length.as_secs_f64(),
            self.clock.in_database(),
        )
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(claimed) = claimed.as_mut().filter(|claimed| claimed.abandoned)
            && free_abandoned_streams(&mut tx, run, self.clock.in_database()).await? == 0
        {
            claimed.crashes = count_crash(&mut tx, run).await?;
        }
        tx.commit().await?;
        Ok(claimed.map(|claimed| Claimed {
            lease: Lease { run_id: run, token },
            tenant_id: claimed.tenant_id,
            integration_id: claimed.integration_id,
            kind: claimed.kind,
            mode: RunMode::from_onboarding(claimed.onboarding),
            started_at: claimed.started_at,
            settings: claimed.settings,
            state: claimed.state,
            units: claimed.units,
            credential: ClaimedCredential::of(
                claimed.credential_id,
                claimed.replacements,
                claimed.counted_as,
            ),
            listed: claimed.listed,
            attempts: claimed.attempts,
            crashes: claimed.crashes,
            abandoned: claimed.abandoned,
        }))
    }

    /// Extends a lease that nobody else has claimed, expired or not.
    pub async fn keep_lease(&self, lease: Lease, length: Duration) -> Result<Kept> {
        let status = sqlx::query_scalar!(
            r#"
            update integration_runs r
            set lease_until = coalesce($4::timestamptz, now()) + make_interval(secs => $3),
                -- Null says that none is wanted; see rest.rs.
                send_at = case when r.send_at is not null then coalesce($4, now()) + make_interval(secs => $3) end
            from integrations i
            where r.id = $1 and r.lease_token = $2 and i.id = r.integration_id
            returning i.status as "status: IntegrationStatus"
            "#,
            lease.run_id.0,
            lease.token,
            length.as_secs_f64(),
            self.clock.in_database(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(match status {
            Some(IntegrationStatus::Active) => Kept::Ours,
            Some(IntegrationStatus::Paused | IntegrationStatus::NeedsReconnect) => Kept::Withdrawn,
            None => Kept::Lost,
        })
    }
}

/// How many there were. After this the dead worker, should it wake, finds no stream that names its
/// lease. A page it is committing at this moment is waited for, and counts.
async fn free_abandoned_streams(
    tx: &mut PgConnection,
    run: RunId,
    now: Option<DateTime<Utc>>,
) -> Result<u64> {
    let freed = sqlx::query!(
        r#"
        update integration_streams
        set lease_token = null,
            crashes = crashes + 1,
            state = case when crashes + 1 < $2 then 'pending'::stream_state else 'error' end,
            processed_at = case when crashes + 1 < $2 then null else coalesce($3::timestamptz, now()) end,
            error = case when crashes + 1 < $2 then error else format('its worker died %s times while stepping it', $2) end
        where run_id = $1 and state = 'processing'
        "#,
        run.0,
        Store::CRASHES,
        now,
    )
    .execute(tx)
    .await?;
    Ok(freed.rows_affected())
}

async fn count_crash(tx: &mut PgConnection, run: RunId) -> Result<i32> {
    let crashes = sqlx::query_scalar!(
        "update integration_runs set crashes = crashes + 1 where id = $1 returning crashes",
        run.0,
    );
    Ok(crashes.fetch_one(tx).await?)
}
