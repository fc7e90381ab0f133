//! A tenant brings a credential, or another in place of one that there is.
//!
//! The platform is asked whose it is before anything is stored. Should that take a renewal first, what
//! came of it is what is stored: on platforms that rotate, what the tenant brought is spent.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::Vault;
use super::encoding::{self, TooLong};
use super::renewal::until_done;
use crate::domain::{Credential, CredentialId, CredentialType, KnownCredential, TenantId};
use crate::keyring::{NoMasterKey, Place};
use crate::sdk::{
    Access, DynIntegration, Keys, Owner, Result as SdkResult, SyncError, UnknownCredential,
};
use crate::store::{Keep, NewCredential, NewSecret, StoreError};

/// How long a platform may take to say whose a credential is.
const PATIENCE: Duration = Duration::from_secs(20);

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
        Ok(until_done(|| self.store.add_credential(&new, answer)).await?)
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
        })
    }
}

/// What the platform knows, as it is to be stored.
struct Examined {
    credential: Arc<Credential>,
    owner: Owner,
    /// What the tenant brought may be spent.
    renewed: bool,
}

async fn identify(
    integration: &Arc<dyn DynIntegration>,
    credential: Credential,
    now: DateTime<Utc>,
) -> SdkResult<Examined> {
    let hand = Arc::new(Hand::holding(integration, credential, now));
    let access = Access::by(Arc::clone(&hand) as Arc<dyn Keys>);
    let owner = if hand.may_spend {
        // Not cut off: its answer may be the only pair that is good.
        integration.identify(&access).await
    } else {
        let late = |_| Err(SyncError::Other(anyhow!("no answer within {PATIENCE:?}")));
        timeout(PATIENCE, integration.identify(&access)).await.unwrap_or_else(late)
    };
    let Held { credential, renewed } = hand.held.lock().await.clone();
    match owner {
        Ok(owner) => Ok(Examined { credential, owner, renewed }),
        // It let us renew it, so it is good; whose it is was not to be learnt now.
        Err(SyncError::RateLimited { .. } | SyncError::OverQuota { .. } | SyncError::Other(_))
            if renewed && hand.may_spend =>
        {
            Ok(Examined { credential, owner: Owner::default(), renewed })
        }
        Err(error) => Err(error),
    }
}

/// A credential that is nowhere but here.
struct Hand {
    integration: Arc<dyn DynIntegration>,
    held: Mutex<Held>,
    now: DateTime<Utc>,
    /// Renewing it may leave what the tenant brought of no use.
    may_spend: bool,
}

#[derive(Clone)]
struct Held {
    credential: Arc<Credential>,
    renewed: bool,
}

impl Hand {
    fn holding(
        integration: &Arc<dyn DynIntegration>,
        credential: Credential,
        now: DateTime<Utc>,
    ) -> Self {
        let may_spend = credential.kind() == CredentialType::Oauth2 && credential.is_renewable();
        let held = Mutex::new(Held { credential: Arc::new(credential), renewed: false });
        Self { integration: Arc::clone(integration), held, now, may_spend }
    }

    async fn renew(&self, held: &mut Held) -> SdkResult<()> {
        let credential = Arc::new(self.integration.renew(&held.credential).await?);
        *held = Held { credential, renewed: true };
        Ok(())
    }
}

#[async_trait]
impl Keys for Hand {
    async fn current(&self) -> SdkResult<Option<Arc<Credential>>> {
        let mut held = self.held.lock().await;
        if !held.renewed && is_over(&held.credential, self.now) {
            self.renew(&mut held).await?;
        }
        Ok(Some(Arc::clone(&held.credential)))
    }

    async fn renewed(&self, refused: &Credential) -> SdkResult<Arc<Credential>> {
        let mut held = self.held.lock().await;
        let token = |credential: &Credential| {
            credential.token().map(|token| token.expose_secret().to_owned())
        };
        if token(&held.credential) == token(refused) {
            self.renew(&mut held).await?;
        }
        Ok(Arc::clone(&held.credential))
    }
}

/// It has to be renewed before it is of any use. An application's credential begins so.
fn is_over(credential: &Credential, now: DateTime<Utc>) -> bool {
    let has_ended = credential.expires_at().is_some_and(|end| end <= now);
    has_ended || (credential.token().is_none() && credential.is_renewable())
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
