//! Getting a new token with what is left of a credential: once per expiry, in one process, whatever
//! else goes on.
//!
//! Platforms that rotate refresh tokens take each of them once. Spent twice, it counts as stolen, and
//! the whole grant is revoked; spent once, with the answer lost, it is gone. So:
//!
//! * Here, all who need the new token wait for one renewal (`flights.rs`).
//! * Elsewhere, nobody begins one while the lease on the row lasts (`store/renewals.rs`). The lease is
//!   longer than the platform may take to answer.
//! * What the platform answers is stored before anybody uses it. A database that is away then is
//!   waited for, also when we are told to stop.
//! * A refusal counts only while the lease is ours and the version is the one that was refused.
//!   Otherwise somebody else has renewed it, or is about to, and what they stored counts.

use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use metrics::counter;
use tokio::time::{Instant, sleep, timeout};
use tracing::{Instrument, error, info, info_span, warn};

use super::flights::Ended;
use super::opened::{Opened, place};
use super::{Vault, encoding};
use crate::domain::{Credential, CredentialState};
use crate::sdk::{Result as SdkResult, SyncError};
use crate::store::{A_MOMENT, ClaimedRenewal, Refusal, Renewal, Result as StoreResult, StoreError};

/// How long a platform may take. Cut off later than by the HTTP client: what it would have answered
/// is lost.
pub(super) const AT_MOST: Duration = Duration::from_secs(90);
/// The length of the lease.
const LEASE: Duration = Duration::from_secs(120);
const _: () = assert!(LEASE.as_secs() > AT_MOST.as_secs());
/// Until another process's renewal is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long nobody tries after a failure.
const REST: Duration = Duration::from_secs(5);
/// The longest rest that a platform can ask for.
const LONGEST_REST: Duration = Duration::from_secs(3600);

impl Vault {
    /// Returns when this secret is not to be used any more: another one has come in its place, or it
    /// was refused.
    pub(super) async fn renew(&self, opened: &Opened) -> SdkResult<()> {
        let id = opened.sealed.id;
        let begin = || {
            let renewing = Renewing { vault: self.clone(), opened: opened.clone() };
            renewing.go().instrument(info_span!("renewal", credential.id = %id))
        };
        match self.renewals.join((id, opened.sealed.version), begin).await {
            Some(Ended::Over) => Ok(()),
            Some(Ended::NotNow(retry_after)) => Err(SyncError::RateLimited { retry_after }),
            Some(Ended::Failed(why)) => Err(SyncError::Other(anyhow!("renewing it: {why}"))),
            None => Err(SyncError::RateLimited { retry_after: A_MOMENT }),
        }
    }
}

/// What became of a renewal that we held.
enum Asked {
    Ended(Ended),
    /// Somebody else has taken it over.
    Lost,
}

struct Renewing {
    vault: Vault,
    opened: Opened,
}

impl Renewing {
    async fn go(self) -> Ended {
        let patience_ends = Instant::now() + self.vault.patience;
        loop {
            match self.claim().await {
                Ok(ClaimedRenewal::Over) => return Ended::Over,
                Ok(ClaimedRenewal::Ours(renewal)) => {
                    if let Asked::Ended(ended) = self.ask(renewal).await {
                        return ended;
                    }
                }
                Ok(ClaimedRenewal::Resting(rest)) => return Ended::NotNow(rest.max(A_MOMENT)),
                Ok(ClaimedRenewal::Held) if Instant::now() < patience_ends => {
                    sleep(LOOK_AGAIN).await;
                }
                Ok(ClaimedRenewal::Held) => return Ended::NotNow(A_MOMENT),
                Err(error) => return away(&error),
            }
        }
    }

    async fn claim(&self) -> StoreResult<ClaimedRenewal> {
        let sealed = &self.opened.sealed;
        self.vault.store.claim_renewal(sealed.id, sealed.version, LEASE).await
    }

    async fn ask(&self, renewal: Renewal) -> Asked {
        match self.ask_platform().await {
            Ok(renewed) => Asked::Ended(self.keep(renewal, &renewed).await),
            Err(SyncError::Unauthorized(why)) => self.refused(renewal, &why).await,
            Err(
                SyncError::RateLimited { retry_after } | SyncError::OverQuota { retry_after, .. },
            ) => {
                let rest = retry_after.clamp(A_MOMENT, LONGEST_REST);
                self.rest(renewal, rest).await;
                Asked::Ended(Ended::NotNow(rest))
            }
            Err(SyncError::Permanent(why) | SyncError::Other(why)) => {
                self.rest(renewal, REST).await;
                Asked::Ended(Ended::Failed(format!("{why:#}")))
            }
        }
    }

    async fn ask_platform(&self) -> SdkResult<Credential> {
        let Opened { sealed, credential } = &self.opened;
        let integration = self.vault.integration(&sealed.platform, credential.kind());
        let integration = integration.map_err(|error| SyncError::Permanent(error.into()))?;
        let renewed = timeout(AT_MOST, integration.renew(credential)).await;
        let renewed = renewed.with_context(|| format!("no answer within {AT_MOST:?}"))??;
        ensure_same_type(credential, &renewed)?;
        Ok(renewed)
    }

    /// The statement is repeated until it was carried out: there may be no other good pair.
    async fn keep(&self, renewal: Renewal, renewed: &Credential) -> Ended {
        let sealed = match self.seal(renewed) {
            Ok(sealed) => sealed,
            Err(error) => {
                self.rest(renewal, REST).await;
                return Ended::Failed(format!("sealing what the platform gave: {error:#}"));
            }
        };
        let store = &self.vault.store;
        let stored =
            until_done(|| store.store_renewal(renewal, &sealed, renewed.expires_at())).await;
        match stored {
            Ok(true) => info!("renewed"),
            Ok(false) => info!("renewed, but another has come in its place"),
            Err(error) => {
                error!("what the platform gave could not be stored, and is lost: {error}");
                return Ended::Failed(error.to_string());
            }
        }
        count("renewed");
        Ended::Over
    }

    fn seal(&self, renewed: &Credential) -> anyhow::Result<Vec<u8>> {
        let open = encoding::encode(renewed)?;
        Ok(self.vault.keyring.seal(place(&self.opened.sealed), &open)?)
    }

    async fn refused(&self, renewal: Renewal, why: &anyhow::Error) -> Asked {
        let why = format!("renewing it was refused: {why:#}");
        let refusal = Refusal {
            credential: renewal.credential,
            replacements: self.opened.sealed.replacements,
            renewal: Some(renewal),
            state: CredentialState::Revoked,
            why: &why,
        };
        match self.vault.refused(refusal).await {
            Ok(true) => {
                count("refused");
                Asked::Ended(Ended::Over)
            }
            Ok(false) => Asked::Lost,
            Err(error) => Asked::Ended(away(&error)),
        }
    }

    /// Should this not be noted, the lease ends by itself.
    async fn rest(&self, renewal: Renewal, rest: Duration) {
        count("not_now");
        if let Err(error) = self.vault.store.rest_renewal(renewal, rest).await {
            warn!("noting that it could not be renewed: {error}");
        }
    }
}

/// Repeats a statement until the database has carried it out, or refused it for good.
pub(super) async fn until_done<T, F>(statement: impl Fn() -> F) -> StoreResult<T>
where
    F: Future<Output = StoreResult<T>>,
{
    loop {
        match statement().await {
            Err(error) if error.may_pass() => {
                warn!("storing a renewed credential, again in a second: {error}");
            }
            done => return done,
        }
        sleep(A_MOMENT).await;
    }
}

fn ensure_same_type(before: &Credential, renewed: &Credential) -> anyhow::Result<()> {
    let (was, is) = (before.kind().as_str(), renewed.kind().as_str());
    ensure!(was == is, "the integration made `{is}` of `{was}`");
    Ok(())
}

fn away(error: &StoreError) -> Ended {
    if error.may_pass() {
        return Ended::NotNow(A_MOMENT);
    }
    Ended::Failed(error.to_string())
}

fn count(outcome: &'static str) {
    counter!("credential_renewals_total", "outcome" => outcome).increment(1);
}
