//! Whether an integration can work as its tenant wants it connected: the settings decode, the
//! credential is of the right sort, and the platform, asked once, does not object.
//!
//! The HTTP API and `millrace connect` both ask this before anything is stored, and each words the
//! refusal in its own way.

use std::time::Duration;

use anyhow::anyhow;
use serde_json::Value;
use tokio::time::timeout;
use uuid::Uuid;

use crate::domain::{CredentialId, CredentialState, KnownCredential, RunMode, TenantId, Tick};
use crate::ledger::{Ledger, Spender};
use crate::sdk::{Access, DynIntegration, InvalidSettings, RawConnection, SyncError};
use crate::store::{IdempotencyKey, NewIntegration, Store, StoreError};
use crate::vault::Vault;

/// How long a platform may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
// Or every slow request would lose its key to the one sent after it.
const _: () = assert!(PATIENCE.as_secs() < IdempotencyKey::HOLD.as_secs());

/// What is to be connected, or changed into.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    pub tenant: TenantId,
    pub integration: &'a dyn DynIntegration,
    pub settings: &'a Value,
    pub units: &'a [String],
    pub credential: Option<CredentialId>,
}

/// Why it cannot work, or cannot be known to.
#[derive(Debug, thiserror::Error)]
pub enum Unworkable {
    #[error(transparent)]
    Settings(#[from] InvalidSettings),
    #[error(transparent)]
    Credential(#[from] WrongCredential),
    /// The platform says so, in the integration's words, which are written for the tenant.
    #[error("{0:#}")]
    Refused(anyhow::Error),
    /// The platform wants to be asked later.
    #[error("the platform wants to be asked again in {0:?}")]
    RateLimited(Duration),
    /// The platform could not be asked.
    #[error("{0:#}")]
    Unavailable(anyhow::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with the choice of a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongCredential {
    #[error("`{kind}` needs a credential for `{platform}` of type {types}")]
    Missing { kind: &'static str, platform: &'static str, types: String },
    #[error("`{0}` is open to everybody and takes no credential")]
    NotWanted(&'static str),
    /// Another tenant's is not there, either.
    #[error("there is no credential {0}")]
    Unknown(CredentialId),
    #[error("it is a credential for `{is}`, and `{kind}` needs one for `{platform}`")]
    OfAnotherPlatform { is: String, kind: &'static str, platform: &'static str },
    #[error("it is of type {is}, and `{kind}` needs one of type {types}")]
    OfAnotherType { is: &'static str, kind: &'static str, types: String },
    #[error("it is {state}, and must be replaced first: {why}")]
    NotValid { state: &'static str, why: String },
}

/// Nothing is stored by this. A renewal that it takes goes on by itself if the platform is too slow.
pub async fn verify(store: &Store, vault: &Vault, wish: Wish<'_>) -> Result<(), Unworkable> {
    let credential = check(store, wish).await?;
    let ledger = Ledger::of(store.clone());
    let access = credential.map_or_else(Access::open, |credential| vault.access(credential));
    let counted_as = match credential {
        Some(id) => store.counted_as(id).await?,
        None => None,
    };
    let by = counted_as.map_or_else(|| wish.tenant.to_string(), |as_one| as_one.to_string());
    let spender = Spender::while_waited_for(wish.integration.platform(), wish.tenant, by);
    let access = access.counted_by(ledger.counts(spender));
    let connection = RawConnection {
        units: wish.units.to_vec(),
        ..RawConnection::new(wish.settings.clone(), store.now().await?, access)
    };
    // Only HTTP and whole statements in here, so it may be cut off in the middle.
    let late = |_| Err(SyncError::Other(anyhow!("no answer within {PATIENCE:?}")));
    let verdict = timeout(PATIENCE, wish.integration.verify(connection)).await;
    ledger.let_go(wish.tenant, RunMode::Check).await;
    verdict.unwrap_or_else(late).map_err(|error| match error {
        SyncError::Permanent(why) | SyncError::Unauthorized(why) => Unworkable::Refused(why),
        SyncError::RateLimited { retry_after } | SyncError::OverQuota { retry_after, .. } => {
            Unworkable::RateLimited(retry_after)
        }
        SyncError::Other(why) => Unworkable::Unavailable(why),
    })
}

/// What is to be stored of a wish that can work; its first check is counted in ticks of this length.
pub async fn to_be_connected(
    store: &Store,
    vault: &Vault,
    wish: Wish<'_>,
    tick: Duration,
) -> Result<NewIntegration, Unworkable> {
    verify(store, vault, wish).await?;
    let Wish { tenant, integration, settings, units, credential } = wish;
    let now = Tick::at(store.now().await?, tick);
    // Any number spreads integrations that were connected together.
    let phase = Uuid::new_v4().as_u128();
    Ok(NewIntegration {
        tenant_id: tenant,
        kind: integration.kind().to_owned(),
        settings: settings.clone(),
        units: units.to_vec(),
        credential_id: credential,
        first_check: integration.checks().first_check(now, phase),
        member_attributes: integration.member_attributes(),
    })
}

/// Whether the settings decode and the credential fits; nobody is asked. The credential to be used.
pub async fn check(store: &Store, wish: Wish<'_>) -> Result<Option<CredentialId>, Unworkable> {
    wish.integration.check_settings(wish.settings)?;
    credential(store, wish).await
}

async fn credential(store: &Store, wish: Wish<'_>) -> Result<Option<CredentialId>, Unworkable> {
    let Wish { tenant, integration, credential, .. } = wish;
    let wanted = !integration.credentials().is_empty();
    match credential {
        None if wanted => Err(missing(integration).into()),
        None => Ok(None),
        Some(_) if !wanted => Err(WrongCredential::NotWanted(integration.kind()).into()),
        Some(id) => {
            let own = store.credential(id).await?.filter(|known| known.tenant_id == tenant);
            let own = own.ok_or(WrongCredential::Unknown(id))?;
            fits(&own, integration)?;
            Ok(Some(id))
        }
    }
}

fn missing(integration: &dyn DynIntegration) -> WrongCredential {
    let (kind, platform) = (integration.kind(), integration.platform());
    WrongCredential::Missing { kind, platform, types: types(integration) }
}

fn fits(known: &KnownCredential, integration: &dyn DynIntegration) -> Result<(), WrongCredential> {
    let (kind, platform) = (integration.kind(), integration.platform());
    if known.platform != platform {
        let is = known.platform.clone();
        return Err(WrongCredential::OfAnotherPlatform { is, kind, platform });
    }
    if !integration.credentials().contains(&known.kind) {
        let (is, types) = (known.kind.as_str(), types(integration));
        return Err(WrongCredential::OfAnotherType { is, kind, types });
    }
    if known.state != CredentialState::Valid {
        let why = known.state_reason.clone().unwrap_or_default();
        return Err(WrongCredential::NotValid { state: known.state.as_str(), why });
    }
    Ok(())
}

fn types(integration: &dyn DynIntegration) -> String {
    let types: Vec<_> = integration.credentials().iter().map(|kind| kind.as_str()).collect();
    types.join(" or ")
}
