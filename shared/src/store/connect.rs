//! A tenant connects: an integration, what its members have, and its onboarding, at once.

use serde_json::Value;
use sqlx::PgConnection;

use super::idempotency::{Keep, keep};
use super::integrations::{clean_units, select};
use super::runs::{self, Requested, request_run};
use super::{Result, Store, clean};
use crate::domain::{
    CredentialId, Integration, IntegrationId, MemberAttribute, RequestedBy, Run, RunMode, TenantId,
    Tick,
};

/// What a tenant connects.
#[derive(Clone, Debug)]
pub struct NewIntegration {
    pub tenant_id: TenantId,
    pub kind: String,
    pub settings: Value,
    pub units: Vec<String>,
    /// Of the same tenant.
    pub credential_id: Option<CredentialId>,
    /// When ticks reach it first; `None` if they never do.
    pub first_check: Option<Tick>,
    pub member_attributes: Vec<MemberAttribute>,
}

/// An integration with the onboarding that was started for it.
#[derive(Clone, Debug)]
pub struct Connected {
    pub integration: Integration,
    pub requested: Requested,
    /// The onboarding, as it was then.
    pub run: Run,
}

impl Store {
    /// Stores an integration together with its onboarding, whose message is due at once.
    pub async fn connect(&self, new: &NewIntegration, by: RequestedBy) -> Result<Connected> {
        self.connect_keeping(new, by, None).await
    }

    /// The same, with the answer kept under the request's key.
    pub async fn connect_keeping(
        &self,
        new: &NewIntegration,
        by: RequestedBy,
        answer: Option<Keep<'_, Connected>>,
    ) -> Result<Connected> {
        let mut tx = self.pool.begin().await?;
        let id = insert(&mut tx, new).await?;
        define_attributes(&mut tx, new.tenant_id, &new.member_attributes).await?;
        let requested =
            request_run(&mut tx, id, RunMode::Onboarding, by, self.clock.in_database()).await?;
        // The integration was made a moment ago, so there is one and a run was asked for.
        let requested = requested.ok_or(sqlx::Error::RowNotFound)?;
        let integration = select(&mut *tx, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        let run = runs::run(&mut tx, requested.run).await?;
        let connected = Connected { integration, requested, run };
        if let Some(answer) = answer {
            keep(&mut tx, answer, &connected).await?;
        }
        tx.commit().await?;
        Ok(connected)
    }

    /// Defines what members of a tenant have, once.
    pub async fn define_member_attributes(
        &self,
        tenant: TenantId,
        attributes: &[MemberAttribute],
    ) -> Result<()> {
        let mut connection = self.pool.acquire().await?;
        define_attributes(&mut connection, tenant, attributes).await
    }
}

async fn insert(tx: &mut PgConnection, new: &NewIntegration) -> Result<IntegrationId> {
    let id = IntegrationId::new();
    sqlx::query!(
        r#"
        insert into integrations (id, tenant_id, kind, settings, units, next_check_tick, credential_id)
        values ($1, $2, $3, $4, $5, $6, $7)
        "#,
        id.0,
        new.tenant_id.0,
        new.kind,
        clean::json(new.settings.clone()),
        &clean_units(&new.units),
        new.first_check.map(|tick| tick.0),
        new.credential_id.map(|id| id.0),
    )
    .execute(tx)
    .await?;
    Ok(id)
}

async fn define_attributes(
    connection: &mut PgConnection,
    tenant: TenantId,
    attributes: &[MemberAttribute],
) -> Result<()> {
    let names: Vec<&str> = attributes.iter().map(|attribute| attribute.name).collect();
    let kinds: Vec<&str> = attributes.iter().map(|attribute| attribute.kind.as_str()).collect();
    let labels: Vec<&str> = attributes.iter().map(|attribute| attribute.label).collect();
    let hidden: Vec<bool> = attributes.iter().map(|attribute| attribute.hidden).collect();
    sqlx::query!(
        r#"
        insert into member_attributes (tenant_id, name, type, label, hidden)
        select $1, name, type, label, hidden
        from unnest($2::text[], $3::text[], $4::text[], $5::bool[]) as attribute (name, type, label, hidden)
        order by name
        on conflict (tenant_id, name) do nothing
        "#,
        tenant.0,
        &names as _,
        &kinds as _,
        &labels as _,
        &hidden,
    )
    .execute(connection)
    .await?;
    Ok(())
}
