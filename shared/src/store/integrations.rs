//! Integrations: what tenants look at, change, pause, resume and delete. How they connect one is in
//! `connect.rs`.

use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};

use super::{Result, Store, clean, retrying_collisions};
use crate::domain::{CredentialId, Integration, IntegrationId, IntegrationStatus, TenantId};

/// What a tenant may change; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IntegrationChange {
    pub settings: Option<Value>,
    pub units: Option<Vec<String>>,
    /// Of the same tenant.
    pub credential_id: Option<CredentialId>,
}

impl Store {
    pub async fn integration(&self, id: IntegrationId) -> Result<Option<Integration>> {
        select(&self.pool, id).await
    }

    /// A page of integrations in the order of their ids: of one tenant or all, of one kind or all.
    pub async fn integrations(
        &self,
        tenant: Option<TenantId>,
        kind: Option<&str>,
        after: Option<IntegrationId>,
        limit: i64,
    ) -> Result<Vec<Integration>> {
        let integrations = sqlx::query_as!(
            Integration,
            r#"
            select
                id as "id: IntegrationId", tenant_id as "tenant_id: TenantId", kind, settings, units,
                credential_id as "credential_id: CredentialId", status as "status: IntegrationStatus", status_reason, next_check_tick, onboarding_wanted,
                onboarded_at, created_at, updated_at
            from integrations
            where ($1::uuid is null or tenant_id = $1)
                and ($2::text is null or kind = $2)
                and ($3::uuid is null or id > $3)
            order by id
            limit $4
            "#,
            tenant.map(|tenant| tenant.0),
            kind,
            after.map(|id| id.0),
            limit,
        );
        Ok(integrations.fetch_all(&self.pool).await?)
    }

    /// Writes only what is named. Other settings and another credential also mend an integration that
    /// needed to be reconnected. `None` if there is no such integration.
    pub async fn change_integration(
        &self,
        id: IntegrationId,
        change: &IntegrationChange,
    ) -> Result<Option<Integration>> {
        let units = change.units.as_deref().map(clean_units);
        let mut tx = self.pool.begin().await?;
        if lock_integration(&mut tx, id).await?.is_none() {
            return Ok(None);
        }
        sqlx::query!(
            r#"
            with changed as (
                update integrations
                set settings = coalesce($2, settings),
                    units = coalesce($3, units),
                    credential_id = coalesce($5, credential_id),
                    status = case
                        when status = 'needs_reconnect' and ($2::jsonb is not null or $5::uuid is not null) then 'active'
                        else status
                    end,
                    status_reason = case when $2 is null and $5 is null then status_reason end,
                    updated_at = coalesce($4::timestamptz, now())
                where id = $1
                returning id, status
            )
            update integration_runs r
            set send_at = coalesce($4, now())
            from changed
            where r.integration_id = changed.id and r.send_at is null and r.processed_at is null
                and changed.status = 'active'
            "#,
            id.0,
            change.settings.clone().map(clean::json),
            units.as_deref(),
            self.clock.in_database(),
            change.credential_id.map(|id| id.0),
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.integration(id).await
    }

    /// Nothing is fetched until resumed. A live run is handed back by its worker within a third of
    /// its lease, and waits.
    pub async fn pause_integration(&self, id: IntegrationId) -> Result<Option<Integration>> {
        self.switch(id, IntegrationStatus::Paused).await
    }

    /// Fetches again. A run that waited gets a message at once, and a credential that was refused is
    /// tried once more.
    pub async fn resume_integration(&self, id: IntegrationId) -> Result<Option<Integration>> {
        self.switch(id, IntegrationStatus::Active).await
    }

    async fn switch(
        &self,
        id: IntegrationId,
        status: IntegrationStatus,
    ) -> Result<Option<Integration>> {
        // Whoever refuses its credential has that first, and wants the integration.
        retrying_collisions(|| self.try_switch(id, status)).await?;
        self.integration(id).await
    }

    async fn try_switch(&self, id: IntegrationId, status: IntegrationStatus) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        lock_integration(&mut tx, id).await?;
        sqlx::query!(
            r#"
            with switched as (
                update integrations
                set status = $2, status_reason = null, updated_at = coalesce($3::timestamptz, now())
                where id = $1 and status <> $2
                returning id, status, credential_id
            ),
            tried as (
                update credentials c
                set state = 'valid', state_reason = null
                from switched
                where c.id = switched.credential_id and switched.status = 'active' and c.state <> 'valid'
            )
            update integration_runs r
            set send_at = case
                    when switched.status = 'active' then coalesce(r.delayed_until, r.lease_until, $3, now())
                end
            from switched
            where r.integration_id = switched.id and r.processed_at is null
            "#,
            id.0,
            status as IntegrationStatus,
            self.clock.in_database(),
        )
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Forgets the integration with its runs and streams. Members and activities stay: they are the
    /// tenant's. Whether there was one.
    pub async fn delete_integration(&self, id: IntegrationId) -> Result<bool> {
        // A page that is being committed has its stream and wants the integration; this has it the
        // other way round.
        retrying_collisions(|| async {
            let deleted = sqlx::query!("delete from integrations where id = $1", id.0);
            Ok(deleted.execute(&self.pool).await?.rows_affected() == 1)
        })
        .await
    }
}

/// Whoever brings a run to life has this lock. Taken by a statement of its own, so that the next one
/// sees the runs that were brought to life before it was given. `None` if it is not there.
pub(super) async fn lock_integration(
    tx: &mut PgConnection,
    id: IntegrationId,
) -> Result<Option<IntegrationStatus>> {
    let status = sqlx::query_scalar!(
        r#"select status as "status: IntegrationStatus" from integrations where id = $1 for no key update"#,
        id.0
    );
    Ok(status.fetch_optional(tx).await?)
}

pub(super) fn clean_units(units: &[String]) -> Vec<String> {
    units.iter().map(|unit| clean::text(unit).into_owned()).collect()
}

pub(super) async fn select(
    executor: impl PgExecutor<'_>,
    id: IntegrationId,
) -> Result<Option<Integration>> {
    let integration = sqlx::query_as!(
        Integration,
        r#"
        select
            id as "id: IntegrationId", tenant_id as "tenant_id: TenantId", kind, settings, units,
            credential_id as "credential_id: CredentialId", status as "status: IntegrationStatus", status_reason, next_check_tick, onboarding_wanted,
            onboarded_at, created_at, updated_at
        from integrations
        where id = $1
        "#,
        id.0,
    );
    Ok(integration.fetch_optional(executor).await?)
}
