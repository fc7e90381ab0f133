//! The tenants' credentials, in the open for as long as they are used and no longer.
//!
//! A tenant brings one (`bring.rs`): the platform is asked whose it is (`hand.rs`), then it is sealed
//! and stored.
//! A run asks for it at each use (`keys.rs`), and gets one that is valid now: one that is about to
//! expire is renewed before, once for everybody (`renewal.rs`). One that the platform refuses, or
//! whose renewal it refuses, withdraws every integration that uses it, until its tenant brings
//! another in its place.
//!
//! The truth is the row. Nothing is remembered here between two uses, so what was replaced or
//! refused is so for every worker at once.

mod bring;
mod encoding;
mod flights;
mod hand;
mod keys;
mod opened;
mod renewal;
mod rotation;

use std::sync::Arc;
use std::time::Duration;

use tracing::error;

use crate::domain::{Credential, CredentialId, CredentialState};
use crate::keyring::{Keyring, NoMasterKey};
use crate::sdk::{Access, Registry};
use crate::store::{Refusal, Result as StoreResult, Store};

pub use bring::{Brought, Unacceptable};
pub use encoding::{TooLong, Unreadable, credential_from_json};
pub use rotation::Rotated;

use flights::Flights;

/// Cheap to clone. Clones share their renewals.
#[derive(Clone)]
pub struct Vault {
    store: Store,
    registry: Registry,
    keyring: Keyring,
    /// How long a renewal by another process is waited for.
    patience: Duration,
    renewals: Arc<Flights>,
}

impl Vault {
    pub fn new(store: &Store, registry: &Registry, keyring: Keyring) -> Self {
        Self {
            store: store.clone(),
            registry: registry.clone(),
            keyring,
            patience: Duration::from_secs(10),
            renewals: Arc::default(),
        }
    }

    /// For tests that do not wait.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// What a run may use of a platform with this credential; nobody counts its requests.
    pub fn access(&self, id: CredentialId) -> Access {
        Access::by(self.keys(id))
    }

    /// The platform refused a credential that its tenant had brought by then: everything that uses it
    /// stops being polled until it is replaced or tried again. Said once, here.
    pub async fn refuse(
        &self,
        credential: CredentialId,
        replacements: i32,
        why: &str,
    ) -> StoreResult<()> {
        let state = CredentialState::Revoked;
        self.refused(Refusal { credential, replacements, renewal: None, state, why })
            .await
            .map(drop)
    }

    /// Whether it was this that refused it.
    async fn refused(&self, refusal: Refusal<'_>) -> StoreResult<bool> {
        let Some(integrations) = self.store.refuse_credential(refusal).await? else {
            return Ok(false);
        };
        let Refusal { credential, state, why, .. } = refusal;
        let state = state.as_str();
        error!(credential.id = %credential, state, integrations, "needs to be reconnected: {why}");
        Ok(true)
    }

    /// Tells two credentials apart without telling what they are.
    pub fn fingerprint(&self, credential: &Credential) -> Result<[u8; 32], Unacceptable> {
        Ok(self.keyring.fingerprint(&encoding::encode(credential)?)?)
    }

    /// Whether there is anything to seal with.
    pub fn can_seal(&self) -> Result<(), NoMasterKey> {
        self.keyring.sealing_key().map(drop).ok_or(NoMasterKey)
    }

    /// Returns when no renewal is under way any more: one that the platform has answered is stored
    /// by then. Whoever has used a vault waits for this before they end.
    pub async fn close(&self) {
        self.renewals.landed().await;
    }
}
