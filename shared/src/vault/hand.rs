//! A credential that is nowhere but here, while the platform is asked whose it is.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::renewal::AT_MOST;
use crate::domain::{Credential, CredentialType};
use crate::sdk::{Access, DynIntegration, Keys, Owner, Result as SdkResult, SyncError};

/// How long a platform may take to say whose a credential is.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same where what the tenant brought may be spent by asking: what is not learnt then is not
/// learnt later.
const PATIENCE_IF_SPENT: Duration = Duration::from_secs(60);

/// How long examining what is brought may take: the last renewal begins before our patience ends.
pub(super) const LONGEST_EXAMINATION: Duration =
    Duration::from_secs(PATIENCE_IF_SPENT.as_secs() + AT_MOST.as_secs());

/// What the platform knows, as it is to be stored.
pub(super) struct Examined {
    pub(super) credential: Arc<Credential>,
    pub(super) owner: Owner,
    /// What the tenant brought may be spent.
    pub(super) renewed: bool,
}

pub(super) async fn identify(
    integration: &Arc<dyn DynIntegration>,
    credential: Credential,
    now: DateTime<Utc>,
) -> SdkResult<Examined> {
    let hand = Arc::new(Hand::holding(integration, credential, now));
    let access = Access::by(Arc::clone(&hand) as Arc<dyn Keys>);
    let owner = tokio::select! {
        owner = integration.identify(&access) => owner,
        late = hand.out_of_patience() => Err(late),
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

struct Hand {
    integration: Arc<dyn DynIntegration>,
    /// Locked while it is renewed.
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
        let renewed = timeout(AT_MOST, self.integration.renew(&held.credential)).await;
        let renewed = renewed.with_context(|| format!("no answer within {AT_MOST:?}"))??;
        *held = Held { credential: Arc::new(renewed), renewed: true };
        Ok(())
    }

    /// Not in the middle of a renewal, whose answer may be the only pair that is good: it comes to
    /// its end first, and the next one does not begin.
    async fn out_of_patience(&self) -> SyncError {
        let patience = if self.may_spend { PATIENCE_IF_SPENT } else { PATIENCE };
        sleep(patience).await;
        drop(self.held.lock().await);
        SyncError::Other(anyhow!("no answer within {patience:?}"))
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
pub(super) fn is_over(credential: &Credential, now: DateTime<Utc>) -> bool {
    let has_ended = credential.expires_at().is_some_and(|end| end <= now);
    has_ended || (credential.token().is_none() && credential.is_renewable())
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use serde_json::{Value, json};
    use tokio::time::Instant;

    use super::*;
    use crate::sdk::{CheckSchedule, Connection, Integration, Registry, Run, StreamOutput};
    use crate::vault::credential_from_json;

    /// Its platform takes so long to renew a credential, and never says whose it is.
    struct Slow(Duration);

    impl Integration for Slow {
        const KIND: &'static str = "slow";
        const CHECKS: CheckSchedule = CheckSchedule::OnboardingOnly;
        const CREDENTIALS: &'static [CredentialType] =
            &[CredentialType::Oauth2, CredentialType::Secret];
        type Settings = ();
        type State = ();
        type Prepared = ();
        type Stream = ();

        async fn preprocess(&self, _: &Connection<Self>) -> SdkResult<()> {
            Ok(())
        }

        async fn streams(&self, _: &Run<Self>) -> SdkResult<Vec<()>> {
            Ok(Vec::new())
        }

        async fn process_stream(&self, (): &(), _: &Run<Self>) -> SdkResult<StreamOutput<()>> {
            Ok(StreamOutput::empty())
        }

        async fn identify(&self, access: &Access) -> SdkResult<Owner> {
            access.credential().await?;
            pending().await
        }

        async fn renew(&self, credential: &Credential) -> SdkResult<Credential> {
            sleep(self.0).await;
            Ok(credential.clone())
        }
    }

    /// Whether there is something to store, and how long that took to know.
    async fn examined(credential: Value, renewing_takes: u64) -> (bool, Duration) {
        let registry = Registry::default().with(Slow(Duration::from_secs(renewing_takes)));
        let credential = credential_from_json(credential).unwrap();
        let began = Instant::now();
        let slow = registry.find("slow").unwrap();
        let examined = identify(slow, credential, DateTime::UNIX_EPOCH).await;
        (examined.is_ok_and(|examined| examined.renewed), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_platform_that_never_says_whose_it_is_cuts_no_renewal_off() {
        let over = json!({
            "type": "oauth2", "client_id": "c", "access_token": "a", "refresh_token": "r",
            "expires_at": DateTime::UNIX_EPOCH,
        });
        let seconds = Duration::from_secs;
        assert_eq!(examined(over.clone(), 5).await, (true, PATIENCE_IF_SPENT));
        assert_eq!(examined(over.clone(), 80).await, (true, seconds(80)));
        assert_eq!(examined(over, 1_000).await, (false, AT_MOST));
        let secret = json!({ "type": "secret", "secret": "s" });
        assert_eq!(examined(secret, 0).await, (false, PATIENCE));
    }
}
