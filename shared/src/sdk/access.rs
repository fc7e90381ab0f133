//! What a run may use of its platform: a credential that is valid now, and requests within the
//! platform's limits.
//!
//! An author says `request.by(&run.connection.access)` and, where the platform has limits,
//! `.under(&LIMIT)`; the token is put in, renewed when it ends, and every request is within what
//! all workers together may send. Nobody keeps a token: it is asked for at each use.

use std::fmt;
use std::sync::Arc;

use anyhow::anyhow;
use async_trait::async_trait;

use super::{Owner, Result, SyncError};
use crate::domain::{Credential, RequestLimit, Said};

/// Cheap to clone.
#[derive(Clone)]
pub struct Access {
    keys: Arc<dyn Keys>,
    quota: Arc<dyn Quota>,
}

/// Who has the credential.
#[async_trait]
pub trait Keys: Send + Sync {
    /// The credential, good for the next request: one that is about to expire is renewed before.
    /// `None` where the platform is open to everybody.
    async fn current(&self) -> Result<Option<Arc<Credential>>>;

    /// What has come in the place of a credential that the platform refused, renewed for that if
    /// nobody else has; `Unauthorized` when that cannot help.
    async fn renewed(&self, refused: &Credential) -> Result<Arc<Credential>>;

    /// Whose the credential is, as the platform said when it was brought; `None` if it did not.
    async fn owner(&self) -> Result<Option<Owner>> {
        Ok(None)
    }
}

/// Who counts the requests.
#[async_trait]
pub trait Quota: Send + Sync {
    /// Returns once the request may be sent, if that is worth waiting for; else `OverQuota`, and
    /// nothing is spent. What it returns is dropped when the request has been answered, or never
    /// will be. Asked for each sending, also of the same request.
    async fn spend(&self, spending: &[Spending]) -> Result<Spent>;

    /// Takes note of what the platform said of a limit beside an answer or a refusal.
    async fn heed(&self, limit: &RequestLimit, said: Said);

    /// The request was answered, and whatever was said of its limits has been heeded.
    async fn answered(&self, _: &[Spending]) {}
}

/// How much of a limit a request is expected to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    pub limit: RequestLimit,
    /// Requests, or points.
    pub cost: u32,
}

/// A request that is under way, to whoever counts it.
#[must_use = "the request counts as answered when this is dropped"]
pub struct Spent {
    _until_dropped: Box<dyn Send + Sync>,
}

impl Spent {
    pub fn until_dropped(counted: impl Send + Sync + 'static) -> Self {
        Self { _until_dropped: Box::new(counted) }
    }
}

impl Access {
    pub fn new(keys: Arc<dyn Keys>, quota: Arc<dyn Quota>) -> Self {
        Self { keys, quota }
    }

    /// With whoever has the credential; nobody counts.
    pub fn by(keys: Arc<dyn Keys>) -> Self {
        Self::new(keys, Arc::new(Unlimited))
    }

    /// To a platform without credentials, whose limits nobody counts.
    pub fn open() -> Self {
        Self::new(Arc::new(NoKeys), Arc::new(Unlimited))
    }

    /// With a credential that stays as it is; nobody counts.
    pub fn with(credential: Credential) -> Self {
        Self::new(Arc::new(Fixed(Arc::new(credential))), Arc::new(Unlimited))
    }

    /// The same way in, with requests counted.
    pub fn counted_by(self, quota: Arc<dyn Quota>) -> Self {
        Self { quota, ..self }
    }

    /// For what is not a request by an [`ApiClient`](super::ApiClient).
    pub async fn credential(&self) -> Result<Arc<Credential>> {
        let current = self.keys.current().await?;
        current.ok_or_else(|| SyncError::Unauthorized(anyhow!("no credential is connected")))
    }

    /// Whose the credential is: the organization, person or bot that [`identify`] named when a tenant
    /// brought it. `None` where that was not to be learnt, and the platform must be asked.
    ///
    /// [`identify`]: super::Integration::identify
    pub async fn owner(&self) -> Result<Option<Owner>> {
        self.keys.owner().await
    }

    /// Takes note of what the platform says of a limit elsewhere than in headers.
    pub async fn heed(&self, limit: &RequestLimit, said: Said) {
        self.quota.heed(limit, said).await;
    }

    pub(super) fn keys(&self) -> &dyn Keys {
        &*self.keys
    }

    pub(super) fn quota(&self) -> &dyn Quota {
        &*self.quota
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access")
    }
}

struct NoKeys;

#[async_trait]
impl Keys for NoKeys {
    async fn current(&self) -> Result<Option<Arc<Credential>>> {
        Ok(None)
    }

    async fn renewed(&self, _: &Credential) -> Result<Arc<Credential>> {
        Err(cannot_be_renewed())
    }
}

struct Fixed(Arc<Credential>);

#[async_trait]
impl Keys for Fixed {
    async fn current(&self) -> Result<Option<Arc<Credential>>> {
        Ok(Some(Arc::clone(&self.0)))
    }

    async fn renewed(&self, _: &Credential) -> Result<Arc<Credential>> {
        Err(cannot_be_renewed())
    }
}

/// What an integration answers whose credentials are for good.
pub(super) fn cannot_be_renewed() -> SyncError {
    SyncError::Unauthorized(anyhow!("this credential cannot be renewed"))
}

pub(super) struct Unlimited;

#[async_trait]
impl Quota for Unlimited {
    async fn spend(&self, _: &[Spending]) -> Result<Spent> {
        Ok(Spent::until_dropped(()))
    }

    async fn heed(&self, _: &RequestLimit, _: Said) {}
}
