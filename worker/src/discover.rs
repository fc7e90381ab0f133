//! Listing what a connection could sync, for a tenant that is about to choose.
//!
//! As a run is, a discovery is claimed, carried out with no transaction open, and ended by a fenced
//! write. It is small, so it has no streams: what fails is asked again from its beginning.

use std::pin::pin;
use std::time::Duration;

use metrics::counter;
use shared::domain::{DiscoveryId, RunMode};
use shared::ledger::Spender;
use shared::outbox::send_discovery_now;
use shared::sdk::{Access, ExternalSyncUnit, RawConnection, Result as SdkResult, SyncError};
use shared::store::{ClaimedCredential, ClaimedDiscovery, DueDiscovery, StoreError};
use tracing::{info, warn};

use crate::run::{backoff, bounded, call};
use crate::{Shutdown, Worker};

/// Carries a discovery out. Whether it was there to be claimed.
pub(crate) async fn discover(
    worker: &Worker,
    discovery: DiscoveryId,
    shutdown: &Shutdown,
) -> Result<bool, StoreError> {
    let lease = worker.settings.lease;
    let Some(claimed) = worker.store.claim_discovery(discovery, lease).await? else {
        return Ok(false);
    };
    match carry_out(worker, &claimed, shutdown).await {
        Err(StoreError::LeaseLost) => {
            info!(discovery.id = %discovery, "the discovery is somebody else's now");
            Ok(true)
        }
        settled => settled.map(|()| true),
    }
}

async fn carry_out(
    worker: &Worker,
    claimed: &ClaimedDiscovery,
    shutdown: &Shutdown,
) -> Result<(), StoreError> {
    if claimed.is_spent() {
        let reason = format!("its worker died or failed {} times", claimed.attempts);
        return worker.store.fail_discovery(claimed.lease, &reason, 0).await;
    }
    let listed = listed(worker, claimed, shutdown).await;
    worker.ledger.let_go(claimed.tenant_id, RunMode::Check).await;
    match listed? {
        Some((units, requests)) => settle(worker, claimed, units, requests).await,
        None => hand_back(worker, claimed).await,
    }
}

/// What the integration answered; `None` if we are to stop. The lease is kept meanwhile, by whole
/// statements: none is cut off.
async fn listed(
    worker: &Worker,
    claimed: &ClaimedDiscovery,
    shutdown: &Shutdown,
) -> Result<Option<(SdkResult<Vec<ExternalSyncUnit>>, u64)>, StoreError> {
    let lease = worker.settings.lease;
    let mut listing = pin!(call(&shutdown.soft, units(worker, claimed)));
    loop {
        tokio::select! {
            listed = &mut listing => return Ok(listed),
            () = tokio::time::sleep(lease / 3) => {}
        }
        worker.store.keep_discovery(claimed.lease, lease).await?;
    }
}

async fn units(worker: &Worker, claimed: &ClaimedDiscovery) -> SdkResult<Vec<ExternalSyncUnit>> {
    let integration = worker
        .registry
        .find(&claimed.kind)
        .map_err(|unknown| SyncError::Permanent(unknown.into()))?;
    let now =
        worker.store.now().await.map_err(|error| error.into_outcome("asking for the time"))?;
    let access = claimed.credential.map(|credential| worker.vault.access(credential.id));
    let access = access.unwrap_or_else(Access::open);
    let access = access.counted_by(worker.ledger.counts(spender(claimed, integration.platform())));
    let connection = RawConnection::new(claimed.settings.clone(), now, access);
    integration.discover(connection).await
}

fn spender(claimed: &ClaimedDiscovery, platform: &str) -> Spender {
    let credential = claimed.credential.map(|credential| credential.counted_as.to_string());
    let credential = credential.unwrap_or_else(|| claimed.lease.id.to_string());
    Spender::while_waited_for(platform, claimed.tenant_id, credential)
}

async fn settle(
    worker: &Worker,
    claimed: &ClaimedDiscovery,
    listed: SdkResult<Vec<ExternalSyncUnit>>,
    requests: u64,
) -> Result<(), StoreError> {
    let (store, lease) = (&worker.store, claimed.lease);
    match listed {
        Ok(units) => {
            store.finish_discovery(lease, &units, requests).await?;
            info!(discovery.id = %lease.id, units = units.len(), "discovered");
            count(claimed, "done");
        }
        Err(SyncError::RateLimited { retry_after } | SyncError::OverQuota { retry_after, .. }) => {
            store.delay_discovery(lease, bounded(retry_after), None, requests).await?;
            count(claimed, "not_now");
        }
        Err(SyncError::Other(error)) if !claimed.is_last_attempt() => {
            let after: Duration = backoff::after(claimed.attempts + 1, &worker.settings);
            let text = format!("{error:#}");
            store.delay_discovery(lease, after, Some(&text), requests).await?;
            warn!(discovery.id = %lease.id, "discovering is tried again: {text}");
            count(claimed, "again");
        }
        Err(error) => {
            note_refusal(worker, claimed, &error).await?;
            let reason = reason(error);
            store.fail_discovery(lease, &reason, requests).await?;
            warn!(discovery.id = %lease.id, "nothing could be discovered: {reason}");
            count(claimed, "never");
        }
    }
    Ok(())
}

/// A credential that is refused here is refused everywhere.
async fn note_refusal(
    worker: &Worker,
    claimed: &ClaimedDiscovery,
    error: &SyncError,
) -> Result<(), StoreError> {
    let (Some(ClaimedCredential { id, replacements, .. }), SyncError::Unauthorized(why)) =
        (claimed.credential, error)
    else {
        return Ok(());
    };
    worker.vault.refuse(id, replacements, &format!("{why:#}")).await
}

/// The platform's own words, for the tenant.
fn reason(error: SyncError) -> String {
    match error {
        SyncError::Unauthorized(why) => {
            format!("the platform rejected our credentials: {why:#}")
        }
        other => format!("{:#}", anyhow::Error::from(other)),
    }
}

async fn hand_back(worker: &Worker, claimed: &ClaimedDiscovery) -> Result<(), StoreError> {
    worker.store.delay_discovery(claimed.lease, Duration::ZERO, None, 0).await?;
    let due = DueDiscovery { discovery: claimed.lease.id, tenant: claimed.tenant_id };
    send_discovery_now(&worker.store, &*worker.queue, due).await;
    Ok(())
}

fn count(claimed: &ClaimedDiscovery, outcome: &'static str) {
    counter!("discoveries_total", "kind" => claimed.kind.clone(), "outcome" => outcome)
        .increment(1);
}
