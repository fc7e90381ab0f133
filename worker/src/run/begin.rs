//! Making a claimed run ready to be stepped: settings decoded, prepared, first streams stored.

use std::sync::Arc;

use anyhow::anyhow;
use metrics::counter;
use shared::ledger::Spender;
use shared::sdk::{Access, DynRun, RawConnection, Result as SdkResult, SyncError};
use shared::store::{Claimed, Store, StoreError, TenantMembers};
use tracing::info;

use super::call::call;
use super::close::settle_failure;
use crate::{Shutdown, Worker};

/// What came of beginning.
pub(super) enum Begun {
    Ready(Arc<dyn DynRun>),
    /// It could not be begun, and has been put to sleep or ended.
    Settled,
    /// There is no more time to begin it.
    LetGo,
}

pub(super) async fn begin(
    worker: &Worker,
    claimed: &Claimed,
    stop: &Shutdown,
) -> Result<Begun, StoreError> {
    if claimed.crashes >= Store::CRASHES {
        let deaths = claimed.crashes;
        let error = anyhow!("its worker died {deaths} times while beginning or closing it");
        settle_failure(worker, claimed, SyncError::Permanent(error), 0).await?;
        return Ok(Begun::Settled);
    }
    let Some((begun, requests)) = call(&stop.hard, prepare(worker, claimed)).await else {
        return Ok(Begun::LetGo);
    };
    let run = match begun {
        Ok(run) => run,
        Err(error) => {
            settle_failure(worker, claimed, error, requests).await?;
            return Ok(Begun::Settled);
        }
    };
    if claimed.listed {
        return Ok(Begun::Ready(run));
    }
    list(worker, claimed, run, requests, stop).await
}

async fn prepare(worker: &Worker, claimed: &Claimed) -> SdkResult<Arc<dyn DynRun>> {
    let integration = worker
        .registry
        .find(&claimed.kind)
        .map_err(|unknown| SyncError::Permanent(unknown.into()))?;
    let connection = RawConnection {
        mode: claimed.mode,
        started_at: claimed.started_at,
        settings: claimed.settings.clone(),
        state: claimed.state.clone(),
        units: claimed.units.clone(),
        access: access(worker, claimed, integration.platform()),
        directory: Arc::new(TenantMembers::of(&worker.store, claimed.tenant_id)),
    };
    integration.begin(connection).await
}

/// Whatever is asked of the platform is asked with what the vault has at that moment, and
/// counted by the ledger.
fn access(worker: &Worker, claimed: &Claimed, platform: &str) -> Access {
    let credential = claimed.credential;
    let access = credential.map_or_else(Access::open, |known| worker.vault.access(known.id));
    access.counted_by(worker.ledger.counts(Spender {
        platform: platform.to_owned(),
        tenant: claimed.tenant_id,
        mode: claimed.mode,
        credential: credential.map_or_else(
            || claimed.integration_id.to_string(),
            |known| known.counted_as.to_string(),
        ),
    }))
}

async fn list(
    worker: &Worker,
    claimed: &Claimed,
    run: Arc<dyn DynRun>,
    requests: u64,
    stop: &Shutdown,
) -> Result<Begun, StoreError> {
    let Some((streams, listing)) = call(&stop.hard, run.streams()).await else {
        return Ok(Begun::LetGo);
    };
    let requests = requests + listing;
    match streams {
        Ok(streams) => {
            worker.store.list_streams(claimed.lease, &streams, requests).await?;
            count_started(claimed);
            info!(streams = streams.len(), "begun");
            Ok(Begun::Ready(run))
        }
        Err(error) => {
            settle_failure(worker, claimed, error, requests).await?;
            Ok(Begun::Settled)
        }
    }
}

/// Once in a run: from here on it is listed, whoever takes it up.
fn count_started(claimed: &Claimed) {
    let Claimed { kind, mode, .. } = claimed;
    counter!("runs_started_total", "kind" => kind.clone(), "mode" => mode.as_str()).increment(1);
}
