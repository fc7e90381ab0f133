//! Credentials: what tenants bring, bring anew, and take away. The secret is sealed before it comes
//! here, and is not looked at. How it is renewed is in `renewals.rs`, how it ends in `refusals.rs`.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::idempotency::{Keep, keep};
use super::{Result, Store, StoreError, clean, retrying_collisions};
use crate::domain::{
    CredentialId, CredentialState, CredentialType, IntegrationId, KnownCredential, TenantId,
};

/// What a tenant brings, sealed.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// Chosen before: what is sealed is bound to it.
    pub id: CredentialId,
    pub tenant_id: TenantId,
    pub platform: String,
    pub secret: NewSecret,
}

/// The secret of a credential, with what is known of it.
#[derive(Clone, Debug)]
pub struct NewSecret {
    pub kind: CredentialType,
    pub sealed: Vec<u8>,
    pub expires_at: Option<DateTime<Utc>>,
    /// Whose it is, in the platform's words.
    pub organization_id: String,
    pub organization_name: String,
    /// The same for every credential with this secret: the platform counts their requests together.
    /// `None` where there is no other.
    pub counted_as: Option<Uuid>,
}

/// What came of taking a credential away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    Yes,
    /// This integration uses it, and perhaps others.
    InUse(IntegrationId),
    Unknown,
}

impl Store {
    pub async fn add_credential(
        &self,
        new: &NewCredential,
        answer: Option<Keep<'_, KnownCredential>>,
    ) -> Result<KnownCredential> {
        let mut tx = self.pool.begin().await?;
        insert(&mut tx, new, self.clock.in_database()).await?;
        let added = select(&mut *tx, new.id).await?.ok_or(sqlx::Error::RowNotFound)?;
        if let Some(answer) = answer {
            keep(&mut tx, answer, &added).await?;
        }
        tx.commit().await?;
        Ok(added)
    }

    pub async fn credential(&self, id: CredentialId) -> Result<Option<KnownCredential>> {
        select(&self.pool, id).await
    }

    /// A page of credentials in the order of their ids: of one tenant or all, of one platform or all.
    pub async fn credentials(
        &self,
        tenant: Option<TenantId>,
        platform: Option<&str>,
        after: Option<CredentialId>,
        limit: i64,
    ) -> Result<Vec<KnownCredential>> {
        let credentials = sqlx::query_as!(
            KnownCredential,
            r#"
            select
                id as "id: CredentialId", tenant_id as "tenant_id: TenantId", platform,
                type as "kind: CredentialType", state as "state: CredentialState", state_reason,
                organization_id, organization_name, expires_at, created_at, updated_at, renewed_at
            from credentials
            where ($1::uuid is null or tenant_id = $1)
                and ($2::text is null or platform = $2)
                and ($3::uuid is null or id > $3)
            order by id
            limit $4
            "#,
            tenant.map(|tenant| tenant.0),
            platform,
            after.map(|id| id.0),
            limit,
        );
        Ok(credentials.fetch_all(&self.pool).await?)
    }

    /// Puts another secret in place of the one there is. It is valid again, and what had to be
    /// reconnected because of it is fetched again. `None` if there is no such credential.
    pub async fn replace_credential(
        &self,
        id: CredentialId,
        secret: &NewSecret,
    ) -> Result<Option<KnownCredential>> {
        retrying_collisions(|| self.try_replace(id, secret)).await?;
        self.credential(id).await
    }

    async fn try_replace(&self, id: CredentialId, secret: &NewSecret) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        lock_users(&mut tx, id).await?;
        sqlx::query!(
            r#"
            with replaced as (
                update credentials
                set type = $2, sealed = $3, expires_at = $4, organization_id = $5, organization_name = $6,
                    counted_as = coalesce($8, id),
                    state = 'valid', state_reason = null,
                    version = version + 1, replacements = replacements + 1,
                    renewing_by = null, renewing_until = null, renewed_at = null,
                    secret_at = coalesce($7::timestamptz, now()), updated_at = coalesce($7, now())
                where id = $1
                returning id
            ),
            woken as (
                update integrations i
                set status = 'active', status_reason = null
                from replaced
                where i.credential_id = replaced.id and i.status = 'needs_reconnect'
                returning i.id
            )
            update integration_runs r
            set send_at = coalesce(r.delayed_until, r.lease_until, $7, now())
            from woken
            where r.integration_id = woken.id and r.send_at is null and r.processed_at is null
            "#,
            id.0,
            secret.kind as CredentialType,
            secret.sealed,
            secret.expires_at,
            &clean::text(&secret.organization_id),
            &clean::text(&secret.organization_name),
            self.clock.in_database(),
            secret.counted_as,
        )
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Refused while an integration uses it.
    pub async fn remove_credential(&self, id: CredentialId) -> Result<Removed> {
        if let Some(user) = self.user_of(id).await? {
            return Ok(Removed::InUse(user));
        }
        let removed = sqlx::query!("delete from credentials where id = $1", id.0);
        match removed.execute(&self.pool).await {
            Ok(done) if done.rows_affected() == 1 => Ok(Removed::Yes),
            Ok(_) => Ok(Removed::Unknown),
            // An integration began to use it in between, so there is one unless it is gone again.
            Err(error) if is_still_used(&error) => match self.user_of(id).await? {
                Some(user) => Ok(Removed::InUse(user)),
                None => Err(StoreError::Database(error)),
            },
            Err(error) => Err(StoreError::Database(error)),
        }
    }

    async fn user_of(&self, id: CredentialId) -> Result<Option<IntegrationId>> {
        let user = sqlx::query_scalar!(
            r#"select id as "id: IntegrationId" from integrations where credential_id = $1 limit 1"#,
            id.0,
        );
        Ok(user.fetch_optional(&self.pool).await?)
    }

    /// What its requests are counted as, together with those of others that have the same secret.
    pub async fn counted_as(&self, id: CredentialId) -> Result<Option<Uuid>> {
        let counted_as =
            sqlx::query_scalar!("select counted_as from credentials where id = $1", id.0);
        Ok(counted_as.fetch_optional(&self.pool).await?)
    }

    /// How often its tenant has brought another; `None` if there is no such credential.
    pub async fn credential_replacements(&self, id: CredentialId) -> Result<Option<i32>> {
        let replacements =
            sqlx::query_scalar!("select replacements from credentials where id = $1", id.0);
        Ok(replacements.fetch_optional(&self.pool).await?)
    }

    /// The kinds of the integrations that use it.
    pub async fn kinds_using_credential(&self, id: CredentialId) -> Result<Vec<String>> {
        let kinds = sqlx::query_scalar!(
            "select distinct kind from integrations where credential_id = $1 order by kind",
            id.0,
        );
        Ok(kinds.fetch_all(&self.pool).await?)
    }
}

fn is_still_used(error: &sqlx::Error) -> bool {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    constraint == Some("credential_is_of_the_same_tenant")
}

/// As `lock_integration`, for all that use it.
async fn lock_users(tx: &mut PgConnection, id: CredentialId) -> Result<()> {
    let users = sqlx::query_scalar!(
        "select id from integrations where credential_id = $1 order by id for no key update",
        id.0
    );
    users.fetch_all(tx).await?;
    Ok(())
}

async fn insert(
    tx: &mut PgConnection,
    new: &NewCredential,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let NewCredential { id, tenant_id, platform, secret } = new;
    sqlx::query!(
        r#"
        insert into credentials
            (id, tenant_id, platform, type, sealed, expires_at, organization_id, organization_name,
             counted_as, secret_at, created_at, updated_at)
        select $1::uuid, $2, $3, $4, $5, $6, $7, $8, coalesce($10::uuid, $1::uuid), t.now, t.now, t.now
        from (select coalesce($9::timestamptz, now()) as now) t
        "#,
        id.0,
        tenant_id.0,
        platform,
        secret.kind as CredentialType,
        secret.sealed,
        secret.expires_at,
        &clean::text(&secret.organization_id),
        &clean::text(&secret.organization_name),
        now,
        secret.counted_as,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn select(
    executor: impl PgExecutor<'_>,
    id: CredentialId,
) -> Result<Option<KnownCredential>> {
    let credential = sqlx::query_as!(
        KnownCredential,
        r#"
        select
            id as "id: CredentialId", tenant_id as "tenant_id: TenantId", platform,
            type as "kind: CredentialType", state as "state: CredentialState", state_reason,
            organization_id, organization_name, expires_at, created_at, updated_at, renewed_at
        from credentials
        where id = $1
        "#,
        id.0,
    );
    Ok(credential.fetch_optional(executor).await?)
}
