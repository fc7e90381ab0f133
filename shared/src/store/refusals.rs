//! Credentials that do not let in any more: nothing that uses them is fetched until reconnected.

use super::renewals::Renewal;
use super::{Result, Store, clean, retrying_collisions};
use crate::domain::{CredentialId, CredentialState};

/// A credential that was refused.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    pub credential: CredentialId,
    /// What was refused is what its tenant had brought by then, and nothing newer.
    pub replacements: i32,
    /// Given when it was a renewal that was refused: then it must still be ours.
    pub renewal: Option<Renewal>,
    /// `Expired` or `Revoked`.
    pub state: CredentialState,
    pub why: &'a str,
}

impl Store {
    /// Marks it, and withdraws whatever uses it: ticks pass by, live runs are handed back and wait.
    /// How many integrations that were; `None` if the credential was refused or replaced before.
    pub async fn refuse_credential(&self, refusal: Refusal<'_>) -> Result<Option<i64>> {
        retrying_collisions(|| self.try_refuse(refusal)).await
    }

    async fn try_refuse(&self, refusal: Refusal<'_>) -> Result<Option<i64>> {
        let Refusal { credential, replacements, renewal, state, why } = refusal;
        let refused = sqlx::query!(
            r#"
            with refused as (
                update credentials
                set state = $3, state_reason = $4, renewing_by = null, renewing_until = null
                where id = $1 and replacements = $2 and state = 'valid'
                    and ($5::uuid is null or (renewing_by = $5 and version = $6))
                returning id
            ),
            withdrawn as (
                update integrations i
                set status = 'needs_reconnect', status_reason = $4
                from refused
                where i.credential_id = refused.id and i.status = 'active'
                returning i.id
            ),
            silenced as (
                update integration_runs r
                set send_at = null
                from withdrawn
                where r.integration_id = withdrawn.id and r.processed_at is null
            )
            select
                (select count(*) from refused) as "credentials!",
                (select count(*) from withdrawn) as "integrations!"
            "#,
            credential.0,
            replacements,
            state as CredentialState,
            &clean::text(why),
            renewal.map(|renewal| renewal.token),
            renewal.map(|renewal| renewal.version),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((refused.credentials == 1).then_some(refused.integrations))
    }
}
