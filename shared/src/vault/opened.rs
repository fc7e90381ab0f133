//! A credential in the open, and whether its time has come.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use chrono::TimeDelta;

use super::{Vault, encoding};
use crate::domain::{Credential, CredentialId, CredentialState};
use crate::keyring::Place;
use crate::sdk::{Result as SdkResult, SyncError};
use crate::store::{SealedCredential, StoreError};

#[derive(Clone)]
pub(super) struct Opened {
    pub(super) sealed: SealedCredential,
    pub(super) credential: Arc<Credential>,
}

impl Vault {
    /// As it is now, if it is valid.
    pub(super) async fn open(&self, id: CredentialId) -> SdkResult<Opened> {
        let sealed = self.store.sealed_credential(id).await.map_err(not_there)?;
        let sealed = sealed.ok_or_else(|| gone(id))?;
        if sealed.state != CredentialState::Valid {
            return Err(not_valid(&sealed));
        }
        let credential = self.unseal(&sealed)?;
        Ok(Opened { sealed, credential: Arc::new(credential) })
    }

    fn unseal(&self, sealed: &SealedCredential) -> anyhow::Result<Credential> {
        let open = self.keyring.open(place(sealed), &sealed.sealed);
        let open = open.with_context(|| format!("opening credential {}", sealed.id))?;
        encoding::decode(&open).with_context(|| format!("reading credential {}", sealed.id))
    }
}

impl Opened {
    /// So near its end that it is renewed before it is used: a minute, and a tenth of its life where
    /// that is shorter. An application's credential begins without a token.
    pub(super) fn is_due(&self) -> bool {
        let near = self.left().is_some_and(|left| left < self.margin());
        self.credential.is_renewable() && (near || self.credential.token().is_none())
    }

    /// It can still be used.
    pub(super) fn is_good(&self) -> bool {
        let is_over = self.left().is_some_and(|left| left <= TimeDelta::zero());
        let begins = self.credential.token().is_none() && self.credential.is_renewable();
        !is_over && !begins
    }

    fn left(&self) -> Option<TimeDelta> {
        Some(self.sealed.expires_at? - self.sealed.now)
    }

    fn margin(&self) -> TimeDelta {
        let life = self.sealed.expires_at.map(|end| end - self.sealed.secret_at);
        let minute = TimeDelta::minutes(1);
        life.map_or(minute, |life| (life / 10).clamp(TimeDelta::zero(), minute))
    }
}

/// Where it is sealed for.
pub(super) fn place(sealed: &SealedCredential) -> Place {
    Place { table: "credentials", tenant: sealed.tenant_id, row: sealed.id.0 }
}

pub(super) fn not_there(error: StoreError) -> SyncError {
    error.into_outcome("looking for the credential")
}

fn gone(id: CredentialId) -> SyncError {
    SyncError::Unauthorized(anyhow!("credential {id} is not there any more"))
}

fn not_valid(sealed: &SealedCredential) -> SyncError {
    let state = sealed.state.as_str();
    let why = sealed.state_reason.as_deref().unwrap_or_default();
    SyncError::Unauthorized(anyhow!("credential {} is {state}: {why}", sealed.id))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde_json::json;

    use super::*;
    use crate::domain::TenantId;

    fn second(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(n)
    }

    /// That lives from 0 until `end`, at `now`.
    fn token(end: Option<i64>, now: i64, refresh_token: Option<&str>) -> Opened {
        let json = json!({
            "type": "oauth2", "client_id": "c", "access_token": "a", "refresh_token": refresh_token
        });
        let sealed = SealedCredential {
            id: CredentialId::new(),
            tenant_id: TenantId::new(),
            platform: "toy".into(),
            state: CredentialState::Valid,
            state_reason: None,
            sealed: Vec::new(),
            version: 1,
            replacements: 0,
            expires_at: end.map(second),
            secret_at: second(0),
            now: second(now),
        };
        Opened { sealed, credential: Arc::new(serde_json::from_value(json).unwrap()) }
    }

    #[test]
    fn a_token_is_due_in_its_last_minute_and_a_short_one_in_its_last_tenth() {
        let due = |end, now| token(Some(end), now, Some("r")).is_due();
        assert_eq!([due(3600, 3539), due(3600, 3541), due(3600, 4000)], [false, true, true]);
        assert_eq!([due(30, 26), due(30, 28)], [false, true]);
        assert!(!token(Some(3600), 3600, None).is_due(), "nothing to renew it with");
        assert!(!token(None, 1_000_000, Some("r")).is_due(), "the platform says when");
    }

    #[test]
    fn a_token_is_good_until_its_end() {
        let good = |end, now| token(end, now, None).is_good();
        assert_eq!([good(Some(30), 29), good(Some(30), 30), good(None, 30)], [true, false, true]);
    }
}
