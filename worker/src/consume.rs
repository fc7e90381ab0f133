//! Receiving messages, as many as there are runs to spare.

use std::sync::Arc;
use std::time::Duration;

use metrics::histogram;
use shared::queue::Received;
use shared::store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::dispatch::{Dispatched, dispatch};
use crate::{Shutdown, Worker};

/// How long a receive waits for a message.
const LONG_POLL: Duration = Duration::from_secs(20);
/// The rest after a receive that failed: a queue that is away is asked once a second.
const REST: Duration = Duration::from_secs(1);

/// Works until `stop`, then hands back what it holds. Returns when all of it is handed back: within
/// the grace, and as long as the database takes; and as long as the renewal of a credential takes.
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
                if dispatch(&worker, message, &shutdown).await == Dispatched::Left {
                    until_the_database_answers(&worker.store, &shutdown).await;
                }
                drop(slot);
            });
        }
        while let Some(ended) = at_work.try_join_next() {
            report(ended);
        }
    }

    info!(runs = at_work.len(), "stopping: handing back what is under way");
    until_ended(at_work).await;
    worker.vault.close().await;
    stopping.abort();
}

/// What is left could not be decided by the database. As long as it does not answer the slot takes
/// nothing: every receive counts, and after fifty a message would be a dead letter.
async fn until_the_database_answers(store: &Store, shutdown: &Shutdown) {
    loop {
        let answer = tokio::select! {
            () = shutdown.soft.cancelled() => return,
            answer = store.check() => answer,
        };
        let Err(error) = answer else { return };
        warn!("nothing is received in this slot until the database answers: {error:#}");
        tokio::select! {
            () = shutdown.soft.cancelled() => return,
            () = tokio::time::sleep(REST) => {}
        }
    }
}

async fn until_ended(mut at_work: JoinSet<()>) {
    while let Some(ended) = at_work.join_next().await {
        report(ended);
    }
}

/// A panic of ours ends the work on one message, which comes again; the others go on.
fn report(ended: Result<(), JoinError>) {
    if let Err(panic) = ended {
        error!("the work on a message ended badly: {panic}");
    }
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
        Ok(messages) => {
            messages.iter().for_each(|message| note_lag(worker, message));
            free.into_iter().zip(messages).collect()
        }
        Err(error) => {
            warn!("receiving: {error:#}");
            tokio::time::sleep(REST).await;
            Vec::new()
        }
    }
}

/// Of the first receiving; before a later one somebody had the message in hand.
fn note_lag(worker: &Worker, message: &Received) {
    let (Some(sent_at), 1) = (message.sent_at, message.receives) else { return };
    // The queue's clock may be ahead of ours.
    let lag = (worker.store.clock().now() - sent_at).to_std().unwrap_or_default();
    histogram!("message_lag_seconds").record(lag);
}

async fn a_slot(slots: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(slots).acquire_owned().await.expect("the semaphore is never closed")
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_panic_keeps_nobody_from_being_waited_for() {
        let mut at_work = JoinSet::new();
        at_work.spawn(async { panic!("a mistake of ours") });
        let (handed_back, all_handed_back) = oneshot::channel();
        at_work.spawn(async {
            // After the panic, which needs one turn.
            tokio::task::yield_now().await;
            let _ = handed_back.send(());
        });

        until_ended(at_work).await;

        all_handed_back.await.unwrap();
    }
}
