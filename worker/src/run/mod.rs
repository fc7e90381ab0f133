//! The story of a run in one worker's hands: claimed, begun, its streams stepped until nothing is
//! due, then closed, put to sleep or handed back.

pub(crate) mod backoff;
mod begin;
mod call;
mod close;
mod lease;
mod step;
mod stepping;

use std::time::Duration;

use metrics::counter;
use shared::domain::{DelayReason, RunId};
use shared::outbox::send_now;
use shared::queue::Receipt;
use shared::store::{Claimed, DueMessage, StoreError};
use tokio::time::Instant;
use tracing::{Instrument, info, info_span, warn};

use crate::{Shutdown, Worker};
pub(crate) use call::call;
pub(crate) use step::bounded;

use begin::Begun;
use close::Closed;
use lease::HeldLease;
use stepping::Rested;

/// How long a run waits after a statement that took too long, or for which PostgreSQL had no room.
const BUSY: Duration = Duration::from_secs(60);

/// Makes as much progress on a run as can be made now. Whether it was there to be claimed.
///
/// An error is the database's, away for longer than the lease: somebody takes over at its end.
pub(crate) async fn process(
    worker: &Worker,
    run: RunId,
    message: &Receipt,
    shutdown: &Shutdown,
) -> Result<bool, StoreError> {
    let settings = &worker.settings;
    let asked_at = Instant::now();
    let Some(claimed) = worker.store.claim_run(run, &settings.holder, settings.lease).await? else {
        return Ok(false);
    };
    if claimed.abandoned {
        counter!("lease_steals_total").increment(1);
    }
    let span = info_span!("run", run.id = %run, kind = claimed.kind, mode = claimed.mode.as_str());
    let held = HeldLease::keep(worker, claimed.lease, asked_at, message, shutdown);
    let mut progress = progress(worker, &claimed, held.stop()).instrument(span).await;
    if let Err(error @ StoreError::Database(_)) = progress {
        progress = after_a_failure(worker, &claimed, error, held.stop()).await;
    }
    worker.ledger.let_go(claimed.tenant_id, claimed.mode).await;
    held.let_go().await;
    if let Err(StoreError::LeaseLost) = progress {
        info!(run.id = %run, "the run is somebody else's now");
        return Ok(true);
    }
    progress.map(|()| true)
}

/// Begin, list, step, and then whatever there is to do.
async fn progress(worker: &Worker, claimed: &Claimed, stop: &Shutdown) -> Result<(), StoreError> {
    let run = match begin::begin(worker, claimed, stop).await? {
        Begun::Ready(run) => run,
        Begun::Settled => return Ok(()),
        Begun::LetGo => return hand_back(worker, claimed).await,
    };
    match stepping::until_rest(worker, claimed, &run, stop).await? {
        Rested::NothingLeft => match close::close(worker, claimed, &*run, stop).await? {
            Closed::Settled => Ok(()),
            Closed::LetGo => hand_back(worker, claimed).await,
        },
        Rested::NothingDue(reason) => delay(worker, claimed, None, reason).await,
        Rested::For(rest, reason) => delay(worker, claimed, Some(rest), reason).await,
        Rested::Reconnect(error) => close::needs_reconnect(worker, claimed, &error, 0).await,
        Rested::Stopped => hand_back(worker, claimed).await,
    }
}

/// Waits release the worker: the sweep sends a message when the run may go on.
async fn delay(
    worker: &Worker,
    claimed: &Claimed,
    after: Option<Duration>,
    reason: DelayReason,
) -> Result<(), StoreError> {
    let until = worker.store.delay_run(claimed.lease, after, reason, None, 0).await?;
    info!(%until, reason = reason.as_str(), "the run waits");
    Ok(())
}

/// A database that is away costs nothing, and the run goes on when it is back. One that is busy is left
/// alone for a while. Whatever else it answers is retried as a failure to begin or to close the run
/// is, since whoever went on at once would be answered the same.
async fn after_a_failure(
    worker: &Worker,
    claimed: &Claimed,
    error: StoreError,
    stop: &Shutdown,
) -> Result<(), StoreError> {
    let run = claimed.lease.run_id;
    let settled = if error.is_away() {
        Err(error)
    } else if error.may_pass() {
        warn!(run.id = %run, "the database is busy; the run waits: {error}");
        delay(worker, claimed, Some(BUSY), DelayReason::Retry).await
    } else {
        let error = anyhow::Error::new(error).context("storing what the run brought");
        close::settle_failure(worker, claimed, error.into(), 0).await
    };
    let Err(StoreError::Database(error)) = settled else { return settled };
    warn!(run.id = %run, "the database failed us; handing the run back: {error}");
    hand_back_while_held(worker, claimed, stop).await
}

/// What is handed back counts as no crash of any stream, so it is worth waiting for the database as
/// long as the lease is ours.
async fn hand_back_while_held(
    worker: &Worker,
    claimed: &Claimed,
    stop: &Shutdown,
) -> Result<(), StoreError> {
    loop {
        match worker.store.hand_back(claimed.lease).await {
            Err(StoreError::Database(_)) if !stop.hard.is_cancelled() => {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            settled => return settled,
        }
    }
}

/// The slice is over, we are to stop, or the tenant paused: whoever hears of it next goes on.
async fn hand_back(worker: &Worker, claimed: &Claimed) -> Result<(), StoreError> {
    worker.store.hand_back(claimed.lease).await?;
    info!("the run is handed back");
    let due = DueMessage { run: claimed.lease.run_id, tenant: claimed.tenant_id };
    send_now(&worker.store, &*worker.queue, due).await;
    Ok(())
}
