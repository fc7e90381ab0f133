//! Making a claimed run ready to be stepped: settings decoded, prepared, first streams stored.

use std::sync::Arc;

use anyhow::anyhow;
use metrics::counter;
use shared::sdk::http::counting_requests;
use shared::sdk::{DynRun, RawConnection, Result as SdkResult, SyncError};
use shared::store::{Claimed, Store, StoreError};
use tracing::info;

use super::close::settle_failure;
use crate::Worker;

/// The run, or `None` if it could not be begun: then it has been put to sleep or ended.
pub(super) async fn begin(
    worker: &Worker,
    claimed: &Claimed,
) -> Result<Option<Arc<dyn DynRun>>, StoreError> {
    if !claimed.listed && claimed.crashes >= Store::CRASHES {
        let error = anyhow!("its worker died {} times while beginning it", claimed.crashes);
        settle_failure(worker, claimed, SyncError::Permanent(error), 0).await?;
        return Ok(None);
    }
    let (begun, requests) = counting_requests(prepare(worker, claimed)).await;
    let run = match begun {
        Ok(run) => run,
        Err(error) => {
            settle_failure(worker, claimed, error, requests).await?;
            return Ok(None);
        }
    };
    if claimed.listed {
        return Ok(Some(run));
    }
    counter!("runs_started_total", "kind" => claimed.kind.clone(), "mode" => claimed.mode.as_str())
        .increment(1);
    list(worker, claimed, run, requests).await
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
    };
    integration.begin(connection).await
}

async fn list(
    worker: &Worker,
    claimed: &Claimed,
    run: Arc<dyn DynRun>,
    requests: u64,
) -> Result<Option<Arc<dyn DynRun>>, StoreError> {
    let (streams, listing) = counting_requests(run.streams()).await;
    let requests = requests + listing;
    match streams {
        Ok(streams) => {
            worker.store.list_streams(claimed.lease, &streams, requests).await?;
            info!(streams = streams.len(), "begun");
            Ok(Some(run))
        }
        Err(error) => {
            settle_failure(worker, claimed, error, requests).await?;
            Ok(None)
        }
    }
}
