//! What a rehearsed run is connected with: a credential in a pocket, and the members it is told of.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use crate::sdk::{Credential, Directory, DynIntegration, Keys, KnownAccount, Owner, Result};

/// Renews as the integration says.
pub(super) struct Pocket {
    integration: Arc<dyn DynIntegration>,
    credential: Mutex<Arc<Credential>>,
    owner: Option<Owner>,
}

impl Pocket {
    pub(super) fn new(
        integration: Arc<dyn DynIntegration>,
        credential: Credential,
        owner: Option<Owner>,
    ) -> Self {
        Self { integration, credential: Mutex::new(Arc::new(credential)), owner }
    }
}

#[async_trait]
impl Keys for Pocket {
    /// An application's credential begins without a token.
    async fn current(&self) -> Result<Option<Arc<Credential>>> {
        let mut credential = self.credential.lock().await;
        if credential.token().is_none() && credential.is_renewable() {
            *credential = Arc::new(self.integration.renew(&credential).await?);
        }
        Ok(Some(Arc::clone(&credential)))
    }

    async fn renewed(&self, refused: &Credential) -> Result<Arc<Credential>> {
        let mut credential = self.credential.lock().await;
        if token(&credential) == token(refused) {
            *credential = Arc::new(self.integration.renew(&credential).await?);
        }
        Ok(Arc::clone(&credential))
    }

    async fn owner(&self) -> Result<Option<Owner>> {
        Ok(self.owner.clone())
    }
}

fn token(credential: &Credential) -> Option<&str> {
    credential.token().map(|token| token.expose_secret())
}

/// Accounts with their platforms, in any order.
pub(super) struct Acquaintances(pub(super) Vec<(&'static str, KnownAccount)>);

#[async_trait]
impl Directory for Acquaintances {
    async fn accounts(
        &self,
        platform: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<KnownAccount>> {
        let there = self.0.iter().filter(|(where_known, _)| *where_known == platform);
        let mut accounts: Vec<_> = there.map(|(_, account)| account.clone()).collect();
        accounts.sort_by(|one, other| one.username.cmp(&other.username));
        accounts.retain(|account| after.is_none_or(|after| account.username.as_str() > after));
        accounts.truncate(most);
        Ok(accounts)
    }
}
