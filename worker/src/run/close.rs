//! Ending a run, and what becomes of one that cannot be begun or ended now.

use metrics::{counter, histogram};
use shared::domain::{DelayReason, RunState};
use shared::outbox::send_now;
use shared::sdk::{DynRun, RawRunSummary, SyncError};
use shared::store::{
    Claimed, ClaimedCredential, DueMessage, Finished, RunFailure, Store, StoreError,
};
use tracing::{error, info, warn};

use super::call::call;
use super::{backoff, hand_back, step};
use crate::{Shutdown, Worker};

/// What came of closing.
pub(super) enum Closed {
    /// The run has ended, or has been put to sleep.
    Settled,
    /// There is no more time to close it.
    LetGo,
}

/// Every stream has ended: remember what the integration wants remembered, and end the run with it.
pub(super) async fn close(
    worker: &Worker,
    claimed: &Claimed,
    run: &dyn DynRun,
    stop: &Shutdown,
) -> Result<Closed, StoreError> {
    let ended = worker.store.ended_streams(claimed.lease.run_id).await?;
    let summary = RawRunSummary { streams: ended };
    let Some((state, requests)) = call(&stop.hard, run.postprocess(summary)).await else {
        return Ok(Closed::LetGo);
    };
    match state {
        Ok(state) => {
            let finished = worker.store.finish_run(claimed.lease, state, requests).await?;
            announce(worker, claimed, &finished).await;
        }
        Err(error) => settle_failure(worker, claimed, error, requests).await?,
    }
    Ok(Closed::Settled)
}

/// The platform refused the credentials. If the tenant has replaced them meanwhile, that says
/// nothing about the new ones: the run is handed back, to be tried with them.
pub(super) async fn needs_reconnect(
    worker: &Worker,
    claimed: &Claimed,
    error: &anyhow::Error,
    requests: u64,
) -> Result<(), StoreError> {
    let failure = RunFailure { error: format!("{error:#}"), needs_reconnect: true };
    if !are_replaced(worker, claimed).await?
        && let Some(credential) = claimed.credential
    {
        let ClaimedCredential { id, replacements, .. } = credential;
        worker.vault.refuse(id, replacements, &failure.error).await?;
    }
    // Once more: they may have been replaced in between, and then it was not they that were marked.
    if are_replaced(worker, claimed).await? {
        info!("credentials were refused that have been replaced meanwhile");
        return hand_back(worker, claimed).await;
    }
    fail(worker, claimed, &failure, requests).await
}

/// Whether the settings, or what lets us in, are others than those the run was claimed with. That a
/// credential was renewed is no news.
async fn are_replaced(worker: &Worker, claimed: &Claimed) -> Result<bool, StoreError> {
    let Some(known) = worker.store.integration(claimed.integration_id).await? else {
        return Ok(false);
    };
    let id = claimed.credential.map(|credential| credential.id);
    if known.settings != claimed.settings || known.credential_id != id {
        return Ok(true);
    }
    let Some(credential) = claimed.credential else { return Ok(false) };
    let now = worker.store.credential_replacements(credential.id).await?;
    Ok(now.is_some_and(|now| now != credential.replacements))
}

/// A failure outside of any stream: not now, never until reconnected, never, or again.
pub(super) async fn settle_failure(
    worker: &Worker,
    claimed: &Claimed,
    error: SyncError,
    requests: u64,
) -> Result<(), StoreError> {
    let store = &worker.store;
    match error {
        SyncError::RateLimited { retry_after } => {
            let rest = step::bounded(retry_after);
            histogram!("provider_wait_seconds", "kind" => claimed.kind.clone()).record(rest);
            let until = store
                .delay_run(claimed.lease, Some(rest), DelayReason::RateLimit, None, requests)
                .await?;
            info!(%until, "rate limited before any stream; the run waits");
            Ok(())
        }
        SyncError::OverQuota { class, retry_after } => {
            let rest = step::bounded(retry_after);
            let until = store
                .delay_run(claimed.lease, Some(rest), DelayReason::Quota, None, requests)
                .await?;
            info!(%until, class, "waits for its share of a limit before any stream");
            Ok(())
        }
        SyncError::Other(error) if claimed.attempts + 1 < Store::ATTEMPTS => {
            let rest = backoff::after(claimed.attempts + 1, &worker.settings);
            let text = format!("{error:#}");
            let until = store
                .delay_run(claimed.lease, Some(rest), DelayReason::Retry, Some(&text), requests)
                .await?;
            warn!(%until, attempt = claimed.attempts + 1, "the run is retried: {text}");
            Ok(())
        }
        SyncError::Unauthorized(error) => needs_reconnect(worker, claimed, &error, requests).await,
        SyncError::Permanent(error) | SyncError::Other(error) => {
            let failure = RunFailure { error: format!("{error:#}"), needs_reconnect: false };
            fail(worker, claimed, &failure, requests).await
        }
    }
}

async fn fail(
    worker: &Worker,
    claimed: &Claimed,
    failure: &RunFailure,
    requests: u64,
) -> Result<(), StoreError> {
    let finished = worker.store.fail_run(claimed.lease, failure, requests).await?;
    if finished.withdrawn {
        error!(integration.id = %claimed.integration_id, "needs to be reconnected: {}", failure.error);
    } else if failure.needs_reconnect {
        info!("the run ends, since its integration needs to be reconnected: {}", failure.error);
    } else {
        error!("the run failed: {}", failure.error);
    }
    announce(worker, claimed, &finished).await;
    Ok(())
}

async fn announce(worker: &Worker, claimed: &Claimed, finished: &Finished) {
    let outcome = finished.state.as_str();
    counter!(
        "runs_finished_total",
        "kind" => claimed.kind.clone(),
        "mode" => claimed.mode.as_str(),
        "outcome" => outcome,
    )
    .increment(1);
    let Finished { streams_processed, streams_failed, records, .. } = finished;
    if finished.state == RunState::Processed {
        info!(streams = streams_processed, records, "processed");
    } else {
        warn!(streams = streams_processed, streams_failed, records, "ended with a hole");
    }
    if let Some(run) = finished.follow_up {
        info!(run.id = %run, "the onboarding that was asked for follows");
        let due = DueMessage { run, tenant: claimed.tenant_id };
        send_now(&worker.store, &*worker.queue, due).await;
    }
}
