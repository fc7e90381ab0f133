//! Discoveries: asked for, and claimed by one worker at a time. As with runs, the row says itself when
//! its next message is due. What comes of one is in `discovery_outcomes.rs`.

use std::time::Duration;

use serde_json::Value;
use sqlx::PgExecutor;
use sqlx::types::Json;
use uuid::Uuid;

use super::idempotency::keep;
use super::{ClaimedCredential, Keep, Result, Store, StoreError, clean};
use crate::domain::{
    CredentialId, Discovery, DiscoveryId, DiscoveryState, ExternalSyncUnit, TenantId,
};

/// What a tenant wants to know.
#[derive(Clone, Debug)]
pub struct NewDiscovery {
    pub tenant_id: TenantId,
    pub kind: String,
    pub settings: Value,
    pub credential: Option<CredentialId>,
}

/// A discovery in a worker's hands.
#[derive(Clone, Debug)]
pub struct ClaimedDiscovery {
    pub lease: DiscoveryLease,
    pub tenant_id: TenantId,
    pub kind: String,
    pub settings: Value,
    pub credential: Option<ClaimedCredential>,
    /// Failures and deaths so far.
    pub attempts: i32,
}

/// The right to carry a discovery out, while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiscoveryLease {
    pub id: DiscoveryId,
    pub(super) token: Uuid,
}

/// A discovery whose message is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueDiscovery {
    pub discovery: DiscoveryId,
    pub tenant: TenantId,
}

impl Store {
    /// Asks for a discovery, and forgets those of the tenant that are older than a week.
    pub async fn ask_discovery(
        &self,
        new: &NewDiscovery,
        answer: Option<Keep<'_, Discovery>>,
    ) -> Result<Discovery> {
        let now = self.clock.in_database();
        let mut tx = self.pool.begin().await?;
        sqlx::query!(
            "delete from discoveries where tenant_id = $1 and created_at < coalesce($2::timestamptz, now()) - interval '7 days'",
            new.tenant_id.0,
            now,
        )
        .execute(&mut *tx)
        .await?;
        let id = DiscoveryId::new();
        sqlx::query!(
            r#"
            insert into discoveries (id, tenant_id, kind, settings, credential_id, due_at, send_at, created_at)
            select $1, $2, $3, $4, $6, asked_at, asked_at, asked_at
            from coalesce($5::timestamptz, now()) as asked_at
            "#,
            id.0,
            new.tenant_id.0,
            new.kind,
            clean::json(new.settings.clone()),
            now,
            new.credential.map(|credential| credential.0),
        )
        .execute(&mut *tx)
        .await?;
        // It was written a moment ago.
        let asked = select(&mut *tx, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        if let Some(answer) = answer {
            keep(&mut tx, answer, &asked).await?;
        }
        tx.commit().await?;
        Ok(asked)
    }

    pub async fn discovery(&self, id: DiscoveryId) -> Result<Option<Discovery>> {
        select(&self.pool, id).await
    }

    /// Claims the discovery if it is there to be claimed; `None` if it waits, is held, has ended or is
    /// not there. A worker that died over it counts as an attempt.
    pub async fn claim_discovery(
        &self,
        id: DiscoveryId,
        length: Duration,
    ) -> Result<Option<ClaimedDiscovery>> {
        let token = Uuid::new_v4();
        let claimed = sqlx::query!(
            r#"
            update discoveries
            set state = 'processing',
                lease_token = $2,
                attempts = attempts + (state = 'processing')::int,
                due_at = coalesce($4::timestamptz, now()) + make_interval(secs => $3),
                send_at = coalesce($4, now()) + make_interval(secs => $3),
                sends = 0
            where id = $1 and processed_at is null and due_at <= coalesce($4, now())
            returning
                tenant_id as "tenant_id: TenantId", kind, settings, attempts, credential_id as "credential_id: CredentialId",
                (select replacements from credentials c where c.id = discoveries.credential_id) as replacements,
                (select counted_as from credentials c where c.id = discoveries.credential_id) as counted_as
            "#,
            id.0,
            token,
            length.as_secs_f64(),
            self.clock.in_database(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(claimed.map(|claimed| ClaimedDiscovery {
            lease: DiscoveryLease { id, token },
            tenant_id: claimed.tenant_id,
            kind: claimed.kind,
            settings: claimed.settings,
            credential: ClaimedCredential::of(
                claimed.credential_id,
                claimed.replacements,
                claimed.counted_as,
            ),
            attempts: claimed.attempts,
        }))
    }

    /// Extends the lease; `LeaseLost` if somebody else has it.
    pub async fn keep_discovery(&self, lease: DiscoveryLease, length: Duration) -> Result<()> {
        let kept = sqlx::query!(
            r#"
            update discoveries
            set due_at = coalesce($4::timestamptz, now()) + make_interval(secs => $3),
                send_at = coalesce($4, now()) + make_interval(secs => $3)
            where id = $1 and lease_token = $2
            "#,
            lease.id.0,
            lease.token,
            length.as_secs_f64(),
            self.clock.in_database(),
        );
        fenced(kept.execute(&self.pool).await?.rows_affected())
    }

    /// Discoveries whose message is due, longest due first.
    pub async fn due_discoveries(&self, limit: i64) -> Result<Vec<DueDiscovery>> {
        let due = sqlx::query_as!(
            DueDiscovery,
            r#"
            select id as "discovery: DiscoveryId", tenant_id as "tenant: TenantId"
            from discoveries
            where send_at <= coalesce($2::timestamptz, now())
            order by send_at
            limit $1
            "#,
            limit,
            self.clock.in_database(),
        );
        Ok(due.fetch_all(&self.pool).await?)
    }

    /// Notes that messages were sent; should one be lost, the next is due as a run's would be.
    pub async fn discoveries_sent(&self, discoveries: &[DiscoveryId]) -> Result<()> {
        let discoveries: Vec<_> = discoveries.iter().map(|discovery| discovery.0).collect();
        sqlx::query!(
            r#"
            update discoveries
            set send_at = coalesce($2::timestamptz, now())
                    + least(interval '1 minute' * power(2, least(sends, 10)), interval '15 minutes'),
                sends = sends + 1
            where id = any($1) and send_at <= coalesce($2, now())
            "#,
            &discoveries,
            self.clock.in_database(),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

async fn select(executor: impl PgExecutor<'_>, id: DiscoveryId) -> Result<Option<Discovery>> {
    let row = sqlx::query!(
        r#"
        select
            tenant_id as "tenant_id: TenantId", kind, settings, state as "state: DiscoveryState", due_at,
            units as "units: Json<Vec<ExternalSyncUnit>>", error, requests, created_at, processed_at
        from discoveries
        where id = $1
        "#,
        id.0,
    );
    let row = row.fetch_optional(executor).await?;
    Ok(row.map(|row| Discovery {
        id,
        tenant_id: row.tenant_id,
        kind: row.kind,
        settings: row.settings,
        state: row.state,
        due_at: row.due_at,
        units: row.units.map(|units| units.0),
        error: row.error,
        requests: row.requests,
        created_at: row.created_at,
        processed_at: row.processed_at,
    }))
}

pub(super) fn fenced(rows: u64) -> Result<()> {
    if rows == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
}
