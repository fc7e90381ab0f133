//! A tenant brings a credential, or another in place of one that there is.
//!
//! The platform is asked whose it is before anything is stored. Should that take a renewal first, what
//! came of it is what is stored: on platforms that rotate, what the tenant brought is spent.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use uuid::Uuid;

use super::Vault;
use super::encoding::{self, TooLong};
use super::hand::{Examined, LONGEST_EXAMINATION, identify, is_over};
use super::renewal::until_done;
use crate::domain::{Credential, CredentialId, CredentialType, KnownCredential, TenantId};
use crate::keyring::{NoMasterKey, Place};
use crate::sdk::{DynIntegration, Owner, SyncError, UnknownCredential};
use crate::store::{Keep, NewCredential, NewSecret, StoreError};

/// What a tenant brings.
#[derive(Clone, Debug)]
pub struct Brought {
    pub platform: String,
    pub credential: Credential,
}

/// Why what was brought is not stored.
#[derive(Debug, thiserror::Error)]
pub enum Unacceptable {
    #[error(transparent)]
    Unknown(#[from] UnknownCredential),
    #[error(transparent)]
    TooLong(#[from] TooLong),
    #[error("it has expired, and there is nothing to renew it with")]
    Expired,
    #[error("an integration of kind `{kind}` uses it, which does not work with `{brought}`")]
    Unsuitable { kind: String, brought: &'static str },
    #[error("it belongs to {is}, and what it replaces to {was}; add it as another credential")]
    OfAnotherOrganization { was: String, is: String },
    /// The platform's answer to whose it is.
    #[error(transparent)]
    Platform(SyncError),
    #[error(transparent)]
    NoMasterKey(#[from] NoMasterKey),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Vault {
    /// How long adding one may take, if the database is there.
    pub const ADDING_AT_MOST: Duration = LONGEST_EXAMINATION;

    /// Asks the platform whose it is, seals it, and stores it.
    pub async fn add(
        &self,
        tenant: TenantId,
        brought: Brought,
        answer: Option<Keep<'_, KnownCredential>>,
    ) -> Result<KnownCredential, Unacceptable> {
        let Brought { platform, credential } = brought;
        let id = CredentialId::new();
        let examined = self.examine(&platform, credential).await?;
        let secret = self.seal(tenant, id, &examined)?;
        let new = NewCredential { id, tenant_id: tenant, platform, secret };
        if !examined.renewed {
            return Ok(self.store.add_credential(&new, answer).await?);
        }
        match until_done(|| self.store.add_credential(&new, answer)).await {
            // Whoever took the request over has only what is spent: the good pair is here.
            Err(StoreError::LeaseLost) => {
                Ok(until_done(|| self.store.add_credential(&new, None)).await?)
            }
            added => Ok(added?),
        }
    }

    /// Puts another in place of what there is: valid again, and what had to be reconnected because of
    /// it is fetched again. `None` if it was removed meanwhile.
    pub async fn replace(
        &self,
        known: &KnownCredential,
        credential: Credential,
    ) -> Result<Option<KnownCredential>, Unacceptable> {
        self.suits_its_users(known.id, credential.kind()).await?;
        let mut examined = self.examine(&known.platform, credential).await?;
        is_of_the_same(known, &mut examined.owner)?;
        let secret = self.seal(known.tenant_id, known.id, &examined)?;
        Ok(until_done(|| self.store.replace_credential(known.id, &secret)).await?)
    }

    async fn suits_its_users(
        &self,
        id: CredentialId,
        brought: CredentialType,
    ) -> Result<(), Unacceptable> {
        for kind in self.store.kinds_using_credential(id).await? {
            // A kind that this build does not know is not ours to judge.
            let known = self.registry.find(&kind);
            if known.is_ok_and(|known| !known.credentials().contains(&brought)) {
                return Err(Unacceptable::Unsuitable { kind, brought: brought.as_str() });
            }
        }
        Ok(())
    }

    pub(super) fn integration(
        &self,
        platform: &str,
        kind: CredentialType,
    ) -> Result<&Arc<dyn DynIntegration>, UnknownCredential> {
        self.registry.by_credential(platform, kind)
    }

    /// Nothing is asked if it could not be stored.
    async fn examine(
        &self,
        platform: &str,
        credential: Credential,
    ) -> Result<Examined, Unacceptable> {
        let integration = self.integration(platform, credential.kind())?;
        self.can_seal()?;
        encoding::encode(&credential)?;
        let now = self.store.now().await?;
        if is_over(&credential, now) && !credential.is_renewable() {
            return Err(Unacceptable::Expired);
        }
        identify(integration, credential, now).await.map_err(Unacceptable::Platform)
    }

    fn seal(
        &self,
        tenant: TenantId,
        id: CredentialId,
        examined: &Examined,
    ) -> Result<NewSecret, Unacceptable> {
        let Examined { credential, owner, .. } = examined;
        let place = Place { table: "credentials", tenant, row: id.0 };
        Ok(NewSecret {
            kind: credential.kind(),
            sealed: self.keyring.seal(place, &encoding::encode(credential)?)?,
            expires_at: credential.expires_at(),
            organization_id: owner.id.clone(),
            organization_name: owner.name.clone(),
            counted_as: self.counted_as(credential)?,
        })
    }

    /// A secret that several tenants bring, such as the token of a bot of ours, is one to its platform.
    /// Tokens that are renewed are nobody else's.
    fn counted_as(&self, credential: &Credential) -> Result<Option<Uuid>, Unacceptable> {
        let token = match credential {
            Credential::Secret { .. } | Credential::Fields { .. } => credential.token(),
            Credential::Oauth2(_) | Credential::GithubApp(_) => None,
        };
        let Some(token) = token else { return Ok(None) };
        let fingerprint = self.keyring.fingerprint(token.expose_secret().as_bytes())?;
        Ok(Uuid::from_slice(&fingerprint[..16]).ok())
    }
}

/// Another workspace's data would come in beside what is stored. Where the platform does not say whose
/// it is, what was known stays.
fn is_of_the_same(known: &KnownCredential, owner: &mut Owner) -> Result<(), Unacceptable> {
    if owner.id.is_empty() {
        *owner = Owner { id: known.organization_id.clone(), name: known.organization_name.clone() };
    }
    if known.organization_id.is_empty() || known.organization_id == owner.id {
        return Ok(());
    }
    let named = |id: &str, name: &str| format!("{name} ({id})");
    Err(Unacceptable::OfAnotherOrganization {
        was: named(&known.organization_id, &known.organization_name),
        is: named(&owner.id, &owner.name),
    })
}
