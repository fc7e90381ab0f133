//! Sealed secrets, and putting a renewed one in place of the one there is.
//!
//! Renewing asks a platform, and no transaction waits for HTTP: so the lock on the row is a lease,
//! claimed by one short statement, counted by the database's clock, and named by its token. Every
//! secret has a version; a renewal begins with one and ends with the next.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Result, Store};
use crate::domain::{CredentialId, CredentialState, TenantId};

/// A credential as it rests, with what decides whether it is to be renewed.
#[derive(Clone, Debug)]
pub struct SealedCredential {
    pub id: CredentialId,
    pub tenant_id: TenantId,
    pub platform: String,
    pub state: CredentialState,
    /// Why it is not valid.
    pub state_reason: Option<String>,
    pub sealed: Vec<u8>,
    pub version: i64,
    /// How often its tenant brought another.
    pub replacements: i32,
    pub expires_at: Option<DateTime<Utc>>,
    /// When this secret came.
    pub secret_at: DateTime<Utc>,
    /// When it was read, by the database's clock.
    pub now: DateTime<Utc>,
}

/// The right to renew a version of a credential, while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    pub credential: CredentialId,
    pub version: i64,
    pub token: Uuid,
}

/// What came of claiming a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimedRenewal {
    Ours(Renewal),
    /// Somebody is renewing it.
    Held,
    /// Somebody could not: not before this has passed.
    Resting(Duration),
    /// Another has come in its place, it is not valid any more, or it is gone.
    Over,
}

impl Store {
    pub async fn sealed_credential(&self, id: CredentialId) -> Result<Option<SealedCredential>> {
        let sealed = sqlx::query_as!(
            SealedCredential,
            r#"
            select
                id as "id: CredentialId", tenant_id as "tenant_id: TenantId", platform,
                state as "state: CredentialState", state_reason, sealed, version, replacements,
                expires_at, secret_at, coalesce($2::timestamptz, now()) as "now!"
            from credentials
            where id = $1
            "#,
            id.0,
            self.clock.in_database(),
        );
        Ok(sealed.fetch_optional(&self.pool).await?)
    }

    /// Claims the renewal of this version, if nobody else has.
    pub async fn claim_renewal(
        &self,
        credential: CredentialId,
        version: i64,
        length: Duration,
    ) -> Result<ClaimedRenewal> {
        let token = Uuid::new_v4();
        let claimed = sqlx::query!(
            r#"
            update credentials
            set renewing_by = $3,
                renewing_until = coalesce($5::timestamptz, now()) + make_interval(secs => $4)
            where id = $1 and version = $2 and state = 'valid'
                and (renewing_until is null or renewing_until <= coalesce($5, now()))
            "#,
            credential.0,
            version,
            token,
            length.as_secs_f64(),
            self.clock.in_database(),
        )
        .execute(&self.pool)
        .await?;
        if claimed.rows_affected() == 1 {
            return Ok(ClaimedRenewal::Ours(Renewal { credential, version, token }));
        }
        self.standing_renewal(credential, version).await
    }

    async fn standing_renewal(&self, id: CredentialId, version: i64) -> Result<ClaimedRenewal> {
        let standing = sqlx::query!(
            r#"
            select
                renewing_by is not null as "held!",
                extract(epoch from renewing_until - coalesce($3::timestamptz, now()))::float8 as seconds
            from credentials
            where id = $1 and version = $2 and state = 'valid'
            "#,
            id.0,
            version,
            self.clock.in_database(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(match standing {
            None => ClaimedRenewal::Over,
            Some(standing) if standing.held => ClaimedRenewal::Held,
            // It may have passed between the two statements.
            Some(standing) => {
                let seconds = standing.seconds.unwrap_or_default().max(0.0);
                ClaimedRenewal::Resting(Duration::from_secs_f64(seconds))
            }
        })
    }

    /// Puts what the platform gave in place of what it was got with. Whether it counts: not if its
    /// tenant brought another meanwhile, or somebody who renewed it after us has stored theirs.
    ///
    /// After the end of the lease it counts for as long as the version is still the one we began
    /// with: then nobody has anything newer, and what we have may be the last that is good. Whoever
    /// took the lease over keeps it, and what they store later counts, too.
    pub async fn store_renewal(
        &self,
        renewal: Renewal,
        sealed: &[u8],
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<bool> {
        let stored = sqlx::query!(
            r#"
            update credentials
            set sealed = $4, expires_at = $5, version = version + 1,
                secret_at = coalesce($6::timestamptz, now()), renewed_at = coalesce($6, now()),
                renewing_until = case when renewing_by <> $3 then renewing_until end,
                renewing_by = case when renewing_by <> $3 then renewing_by end
            where id = $1 and (renewing_by = $3 or version = $2)
            "#,
            renewal.credential.0,
            renewal.version,
            renewal.token,
            sealed,
            expires_at,
            self.clock.in_database(),
        )
        .execute(&self.pool)
        .await?;
        Ok(stored.rows_affected() == 1)
    }

    /// The renewal failed for now. Nobody tries again before `rest` has passed.
    pub async fn rest_renewal(&self, renewal: Renewal, rest: Duration) -> Result<()> {
        sqlx::query!(
            r#"
            update credentials
            set renewing_by = null,
                renewing_until = coalesce($4::timestamptz, now()) + make_interval(secs => $3)
            where id = $1 and renewing_by = $2
            "#,
            renewal.credential.0,
            renewal.token,
            rest.as_secs_f64(),
            self.clock.in_database(),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A page of the credentials that another master key sealed.
    pub async fn credentials_not_sealed_by(
        &self,
        key: &str,
        after: Option<CredentialId>,
        limit: i64,
    ) -> Result<Vec<SealedCredential>> {
        let sealed = sqlx::query_as!(
            SealedCredential,
            r#"
            select
                id as "id: CredentialId", tenant_id as "tenant_id: TenantId", platform,
                state as "state: CredentialState", state_reason, sealed, version, replacements,
                expires_at, secret_at, coalesce($4::timestamptz, now()) as "now!"
            from credentials
            where sealed_by <> $1 and ($2::uuid is null or id > $2)
            order by id
            limit $3
            "#,
            key,
            after.map(|id| id.0),
            limit,
            self.clock.in_database(),
        );
        Ok(sealed.fetch_all(&self.pool).await?)
    }

    /// The same secret under another key. Whether it was still as it was read: if not, it was sealed
    /// again meanwhile.
    pub async fn reseal_credential(
        &self,
        before: &SealedCredential,
        sealed: &[u8],
    ) -> Result<bool> {
        let resealed = sqlx::query!(
            "update credentials set sealed = $3 where id = $1 and sealed = $2",
            before.id.0,
            before.sealed,
            sealed,
        );
        Ok(resealed.execute(&self.pool).await?.rows_affected() == 1)
    }
}
