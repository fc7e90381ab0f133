//! Holding a run: its lease and its message's invisibility are extended together, at a third of the
//! lease's length. When the lease cannot be, the work stops. When the invisibility cannot be, it goes
//! on: whoever receives the message meanwhile finds the run leased.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use shared::domain::Lease;
use shared::queue::{Queue, Receipt};
use shared::store::{Kept, Store, StoreError};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::DropGuard;
use tracing::{info, warn};

use crate::{Settings, Shutdown, Worker};

/// Keeps a lease until it is let go.
pub(super) struct HeldLease {
    stop: Shutdown,
    keeper: JoinHandle<()>,
    /// Should the work panic, the lease is not kept for ever.
    _released: DropGuard,
}

impl HeldLease {
    /// `since` is when the lease was asked for: it may have begun then.
    pub(super) fn keep(
        worker: &Worker,
        lease: Lease,
        since: Instant,
        message: &Receipt,
        shutdown: &Shutdown,
    ) -> Self {
        let stop = shutdown.child();
        let keeper = Keeper {
            store: worker.store.clone(),
            queue: Arc::clone(&worker.queue),
            settings: worker.settings.clone(),
            lease,
            sure_until: since + worker.settings.lease,
            message: message.clone(),
            stop: stop.clone(),
        };
        let released = stop.hard.clone().drop_guard();
        Self { stop, keeper: tokio::spawn(keeper.keep()), _released: released }
    }

    /// Stops with the worker, softly when the run is withdrawn, hard when the lease is lost.
    pub(super) fn stop(&self) -> &Shutdown {
        &self.stop
    }

    /// Ends the extending, and waits until it has ended: no statement is cut off.
    pub(super) async fn let_go(self) {
        self.stop.soft.cancel();
        self.stop.hard.cancel();
        if let Err(error) = self.keeper.await {
            warn!("the lease's keeper failed: {error}");
        }
    }
}

struct Keeper {
    store: Store,
    queue: Arc<dyn Queue>,
    settings: Settings,
    lease: Lease,
    /// Until then nobody else can have claimed the run.
    sure_until: Instant,
    message: Receipt,
    stop: Shutdown,
}

impl Keeper {
    async fn keep(mut self) {
        let third = self.settings.lease / 3;
        while self.still_wanted_after(third).await {
            let asked_at = Instant::now();
            match self.extend().await {
                Ok(Kept::Ours) => self.sure_until = asked_at + self.settings.lease,
                Ok(Kept::Withdrawn) => {
                    self.sure_until = asked_at + self.settings.lease;
                    info!(run.id = %self.lease.run_id, "the integration is not active any more");
                    self.stop.soft.cancel();
                }
                Ok(Kept::Lost) => return self.stop_at_once(),
                Err(error) => warn!(run.id = %self.lease.run_id, "extending the lease: {error}"),
            }
            if let Err(error) = self.keep_invisible(third).await {
                // Harmless: whoever receives it finds the run leased.
                warn!(run.id = %self.lease.run_id, "extending the message's invisibility: {error:#}");
            }
        }
    }

    /// The statement is never cut off. Should the lease end before it is answered, somebody else may
    /// be at it by then: what we still write is fenced, but there is no use in fetching on.
    async fn extend(&self) -> Result<Kept, StoreError> {
        let mut extending = pin!(self.store.keep_lease(self.lease, self.settings.lease));
        tokio::select! {
            kept = &mut extending => kept,
            () = tokio::time::sleep_until(self.sure_until) => {
                self.stop_at_once();
                extending.await
            }
        }
    }

    /// Given up in time for the lease to be extended next, and when it is not wanted any more: a
    /// queue that hangs must neither cost us the lease nor hold us up.
    async fn keep_invisible(&self, within: Duration) -> anyhow::Result<()> {
        let kept = self.queue.keep_invisible(&self.message, self.settings.visibility);
        tokio::select! {
            () = self.stop.hard.cancelled() => Ok(()),
            kept = timeout(within, kept) => Ok(kept.context("the queue does not answer")??),
        }
    }

    async fn still_wanted_after(&self, time: Duration) -> bool {
        tokio::select! {
            () = self.stop.hard.cancelled() => false,
            () = tokio::time::sleep(time) => true,
        }
    }

    fn stop_at_once(&self) {
        self.stop.soft.cancel();
        self.stop.hard.cancel();
    }
}
