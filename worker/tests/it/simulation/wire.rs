//! The queue as one process sees it: its calls can be lost, or their answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use async_trait::async_trait;
use shared::queue::memory::MemoryQueue;
use shared::queue::{DeadLetter, Outgoing, Queue, QueueError, Receipt, Received, SendError};

use super::gate::{Gate, Point};

/// What becomes of one call to the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The queue never hears of it.
    Call,
    /// It is done, and the process never learns of it.
    Answer,
}

pub(super) struct Wire {
    pub(super) queue: Arc<MemoryQueue>,
    pub(super) gate: Gate,
    next_is: Mutex<Option<Lost>>,
    /// How many messages this process has sent, or tried to.
    sent: Arc<AtomicU64>,
}

impl Wire {
    pub(super) fn to(queue: &Arc<MemoryQueue>, gate: &Gate, sent: &Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Self {
            queue: Arc::clone(queue),
            gate: gate.clone(),
            next_is: Mutex::default(),
            sent: Arc::clone(sent),
        })
    }

    /// The next call is lost, or its answer is.
    pub(super) fn lose_next(&self, lost: Lost) {
        *self.next_is() = Some(lost);
    }

    pub(super) fn lose_nothing(&self) {
        *self.next_is() = None;
    }

    fn next_is(&self) -> MutexGuard<'_, Option<Lost>> {
        self.next_is.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, QueueError>>,
    ) -> Result<T, QueueError> {
        let lost = self.next_is().take();
        let timed_out = || Err(anyhow!("the call timed out").into());
        match lost {
            None => call.await,
            Some(Lost::Call) => timed_out(),
            Some(Lost::Answer) => call.await.and_then(|_| timed_out()),
        }
    }
}

#[async_trait]
impl Queue for Wire {
    async fn send(&self, messages: &[Outgoing]) -> Result<(), SendError> {
        self.gate.pass(Point::Sending).await;
        self.sent.fetch_add(messages.len() as u64, Ordering::Relaxed);
        let mut refused = None;
        let sent = self.call(async {
            refused = self.queue.send(messages).await.err();
            Ok(())
        });
        let lost = sent.await.err();
        self.gate.pass(Point::Sent).await;
        match (lost, refused) {
            (Some(QueueError(source)), _) => {
                Err(SendError { unsent: (0..messages.len()).collect(), source })
            }
            (None, Some(refused)) => Err(refused),
            (None, None) => Ok(()),
        }
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Received>, QueueError> {
        self.call(self.queue.receive(max, wait)).await
    }

    async fn acknowledge(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.gate.pass(Point::Acknowledging).await;
        self.call(self.queue.acknowledge(receipt)).await
    }

    async fn keep_invisible(&self, receipt: &Receipt, time: Duration) -> Result<(), QueueError> {
        self.call(self.queue.keep_invisible(receipt, time)).await
    }

    async fn dead_letter(&self, message: &Received, reason: &str) -> Result<(), QueueError> {
        self.call(self.queue.dead_letter(message, reason)).await
    }

    async fn dead_letters(&self, max: usize) -> Result<Vec<DeadLetter>, QueueError> {
        self.queue.dead_letters(max).await
    }

    async fn requeue_dead_letters(&self, max: usize) -> Result<usize, QueueError> {
        self.queue.requeue_dead_letters(max).await
    }

    async fn check(&self) -> Result<(), QueueError> {
        self.queue.check().await
    }

    async fn depth(&self) -> Result<u64, QueueError> {
        self.queue.depth().await
    }
}
