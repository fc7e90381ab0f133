//! A queue that remembers what was sent to it, unless it is away.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use async_trait::async_trait;
use shared::queue::{DeadLetter, Outgoing, Queue, QueueError, Receipt, Received, SendError};
use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct RecordingQueue {
    sent: Mutex<Vec<Outgoing>>,
    away: AtomicBool,
    came: Notify,
}

impl RecordingQueue {
    pub(crate) fn go_away(&self) {
        self.away.store(true, Ordering::SeqCst);
    }

    /// What was sent since somebody last asked.
    pub(crate) fn take(&self) -> Vec<Outgoing> {
        std::mem::take(&mut *self.sent.lock().expect("no panic while locked"))
    }

    /// Returns once something is sent.
    pub(crate) async fn something_comes(&self) {
        self.came.notified().await;
    }
}

#[async_trait]
impl Queue for RecordingQueue {
    async fn send(&self, messages: &[Outgoing]) -> Result<(), SendError> {
        if self.away.load(Ordering::SeqCst) {
            let unsent = (0..messages.len()).collect();
            return Err(SendError { unsent, source: anyhow!("connection refused") });
        }
        self.sent.lock().expect("no panic while locked").extend_from_slice(messages);
        self.came.notify_one();
        Ok(())
    }

    async fn receive(&self, _: usize, _: Duration) -> Result<Vec<Received>, QueueError> {
        unreachable!("the API only sends")
    }

    async fn acknowledge(&self, _: &Receipt) -> Result<(), QueueError> {
        unreachable!("the API only sends")
    }

    async fn keep_invisible(&self, _: &Receipt, _: Duration) -> Result<(), QueueError> {
        unreachable!("the API only sends")
    }

    async fn dead_letter(&self, _: &Received, _: &str) -> Result<(), QueueError> {
        unreachable!("the API only sends")
    }

    async fn dead_letters(&self, _: usize) -> Result<Vec<DeadLetter>, QueueError> {
        unreachable!("the API only sends")
    }

    async fn requeue_dead_letters(&self, _: usize) -> Result<usize, QueueError> {
        unreachable!("the API only sends")
    }

    async fn check(&self) -> Result<(), QueueError> {
        unreachable!("the API only sends")
    }

    async fn depth(&self) -> Result<u64, QueueError> {
        unreachable!("the API only sends")
    }
}
