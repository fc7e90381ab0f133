//! Receiving messages, as many as there are runs to spare.

use std::sync::Arc;
use std::time::Duration;

use shared::queue::Received;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::dispatch::dispatch;
use crate::{Shutdown, Worker};

/// How long a receive waits for a message.
const LONG_POLL: Duration = Duration::from_secs(20);
/// The rest after a receive that failed: a queue that is away is asked once a second.
const REST: Duration = Duration::from_secs(1);

/// Works until `stop`, then hands back what it holds. Returns when all of it is handed back: within
/// the grace, and as long as the database takes.
pub async fn consume(worker: Arc<Worker>, stop: CancellationToken) {
    let shutdown = Shutdown::default();
    let stopping = tokio::spawn(shutdown.clone().when(stop.clone(), worker.settings.grace));
    let slots = Arc::new(Semaphore::new(worker.settings.runs));
    let mut at_work = JoinSet::new();
    info!(holder = worker.settings.holder, "waiting for messages");

    loop {
        let messages = tokio::select! {
            () = stop.cancelled() => break,
            messages = next_messages(&worker, &slots) => messages,
        };
        for (slot, message) in messages {
            let (worker, shutdown) = (Arc::clone(&worker), shutdown.clone());
            at_work.spawn(async move {
                dispatch(&worker, message, &shutdown).await;
                drop(slot);
            });
        }
        while at_work.try_join_next().is_some() {}
    }

    info!(runs = at_work.len(), "stopping: handing back what is under way");
    at_work.join_all().await;
    stopping.abort();
}

/// Waits for a slot and for messages, up to one for each free slot and ten in all. A receive that is
/// dropped half-way loses nothing: its messages come again.
async fn next_messages(
    worker: &Worker,
    slots: &Arc<Semaphore>,
) -> Vec<(OwnedSemaphorePermit, Received)> {
    let mut free = vec![a_slot(slots).await];
    while free.len() < 10
        && let Ok(slot) = Arc::clone(slots).try_acquire_owned()
    {
        free.push(slot);
    }
    match worker.queue.receive(free.len(), LONG_POLL).await {
        Ok(messages) => free.into_iter().zip(messages).collect(),
        Err(error) => {
            warn!("receiving: {error:#}");
            tokio::time::sleep(REST).await;
            Vec::new()
        }
    }
}

async fn a_slot(slots: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(slots).acquire_owned().await.expect("the semaphore is never closed")
}
