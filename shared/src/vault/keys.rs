//! A credential as a run asks for it: valid for the next request.

use std::sync::Arc;

use anyhow::anyhow;
use async_trait::async_trait;
use secrecy::ExposeSecret;

use super::Vault;
use super::opened::{Opened, not_there};
use crate::domain::{Credential, CredentialId, CredentialState};
use crate::sdk::{Keys, Owner, Result, SyncError};
use crate::store::Refusal;

/// Asks the vault each time.
struct OfOneCredential {
    vault: Vault,
    id: CredentialId,
}

impl Vault {
    /// The way in, for whoever counts requests as well.
    pub fn keys(&self, id: CredentialId) -> Arc<dyn Keys> {
        Arc::new(OfOneCredential { vault: self.clone(), id })
    }

    async fn current(&self, id: CredentialId) -> Result<Arc<Credential>> {
        let opened = self.open(id).await?;
        if opened.is_due() {
            return match self.renew(&opened).await {
                Ok(()) => Ok(self.open(id).await?.credential),
                // It is early: whoever asks next tries again.
                Err(error) if opened.is_good() => {
                    tracing::debug!(credential.id = %id, "not renewed before its end: {error:#}");
                    Ok(opened.credential)
                }
                Err(error) => Err(error),
            };
        }
        if opened.is_good() { Ok(opened.credential) } else { Err(self.expired(&opened).await) }
    }

    async fn expired(&self, opened: &Opened) -> SyncError {
        let why = "it has expired, and cannot be renewed";
        let refusal = Refusal {
            credential: opened.sealed.id,
            replacements: opened.sealed.replacements,
            renewal: None,
            state: CredentialState::Expired,
            why,
        };
        match self.refused(refusal).await {
            Ok(_) => SyncError::Unauthorized(anyhow!("credential {}: {why}", opened.sealed.id)),
            Err(error) => not_there(error),
        }
    }

    async fn renewed(&self, id: CredentialId, refused: &Credential) -> Result<Arc<Credential>> {
        let opened = self.open(id).await?;
        if token(&opened.credential) == token(refused) {
            if !opened.credential.is_renewable() {
                return Err(SyncError::Unauthorized(anyhow!("credential {id} was refused")));
            }
            self.renew(&opened).await?;
        }
        // What has come in its place may be at its end itself.
        let renewed = self.current(id).await?;
        if token(&renewed) == token(refused) {
            return Err(SyncError::Unauthorized(anyhow!(
                "credential {id} was refused, and renewing it brought the same token"
            )));
        }
        Ok(renewed)
    }
}

fn token(credential: &Credential) -> Option<&str> {
    credential.token().map(ExposeSecret::expose_secret)
}

#[async_trait]
impl Keys for OfOneCredential {
    async fn current(&self) -> Result<Option<Arc<Credential>>> {
        self.vault.current(self.id).await.map(Some)
    }

    async fn renewed(&self, refused: &Credential) -> Result<Arc<Credential>> {
        self.vault.renewed(self.id, refused).await
    }

    async fn owner(&self) -> Result<Option<Owner>> {
        let known = self.vault.store.credential(self.id).await.map_err(not_there)?;
        let owner = known.map(|it| Owner { id: it.organization_id, name: it.organization_name });
        Ok(owner.filter(|owner| !owner.id.is_empty()))
    }
}
