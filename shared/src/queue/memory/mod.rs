//! A queue in memory, for tests: strict about what the contract promises, and on request as
//! mischievous as the contract allows.
//!
//! No service uses it, since what it holds is gone with the process. It lives in this crate so that
//! the tests of every crate share one fake, and it sits the same examination as the real queues.
//! Its time is its [`Clock`]'s: on a clock that stands still, a receive waits until a message comes
//! or the clock is turned, and turning the clock makes delayed and abandoned messages visible.
//!
//! ```
//! # tokio_test(async {
//! use std::time::Duration;
//! use shared::clock::Clock;
//! use shared::queue::memory::MemoryQueue;
//! use shared::queue::{Outgoing, Queue};
//!
//! let clock = Clock::standing_at("2026-01-01T00:00:00Z".parse()?);
//! let queue = MemoryQueue::new(clock.clone());
//! let delay = Duration::from_secs(60);
//! queue.send(&[Outgoing { body: "later".into(), group: "acme".into(), delay, trace: None }]).await?;
//! assert!(queue.receive(1, Duration::ZERO).await?.is_empty());
//! clock.advance(delay);
//! assert_eq!(queue.receive(1, Duration::ZERO).await?[0].body, "later");
//! # anyhow::Ok(())
//! # });
//! # fn tokio_test(test: impl Future<Output = anyhow::Result<()>>) {
//! #     tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test).unwrap();
//! # }
//! ```

mod state;

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use anyhow::anyhow;
use async_trait::async_trait;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::Notify;

use state::{Message, State};

use super::limits::{self, LONGEST_WAIT, MOST_AT_ONCE, Unsent};
use super::{DeadLetter, Outgoing, Queue, QueueError, Receipt, Received, Redelivery, SendError};
use crate::clock::Clock;

pub struct MemoryQueue {
    clock: Clock,
    redelivery: Redelivery,
    state: Mutex<State>,
    /// Rung when a waiting receive should look again.
    news: Notify,
}

/// What tests do to it.
impl MemoryQueue {
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            redelivery: Redelivery::default(),
            state: Mutex::default(),
            news: Notify::new(),
        }
    }

    #[must_use]
    pub fn with_redelivery(self, redelivery: Redelivery) -> Self {
        Self { redelivery, ..self }
    }

    /// From now on delivers in any order, and a quarter of the messages twice, the second time
    /// perhaps late. The same seed does the same mischief.
    #[must_use]
    pub fn mischievous(self, seed: u64) -> Self {
        self.lock().mischief = Some(StdRng::seed_from_u64(seed));
        self
    }

    /// The next message sent is accepted, and lost.
    pub fn lose_next(&self) {
        self.lock().to_lose += 1;
    }

    /// So many of the messages that are sent next are refused; others of their batch are stored.
    pub fn refuse_next(&self, messages: usize) {
        self.lock().to_refuse += messages;
    }

    /// Loses all messages that wait or are being worked on, but no dead letters.
    pub fn purge(&self) {
        self.lock().messages.clear();
    }

    /// Until it comes back, every call is an error, that of a waiting receive too.
    pub fn go_away(&self) {
        self.lock().away = true;
        self.news.notify_waiters();
    }

    pub fn come_back(&self) {
        self.lock().away = false;
    }

    /// Comes back, and forgets what it was to lose or to refuse.
    pub fn recover(&self) {
        let mut state = self.lock();
        (state.away, state.to_lose, state.to_refuse) = (false, 0, 0);
    }

    /// The bodies of all messages that are not acknowledged, visible or not, in order of arrival.
    pub fn bodies(&self) -> Vec<String> {
        self.lock().messages.iter().map(|message| message.body.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Who panicked under the lock was a test, and is reported as such.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn present(&self) -> Result<MutexGuard<'_, State>, QueueError> {
        let state = self.lock();
        if state.away { Err(anyhow!("the queue is away").into()) } else { Ok(state) }
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Received>, QueueError> {
        let deadline = self.clock.now() + wait.min(LONGEST_WAIT);
        loop {
            // Listens before it looks, so that it misses nothing in between.
            let news = self.news.notified();
            let now = self.clock.now();
            let next_look = {
                let mut state = self.present()?;
                let received = state.receive(max.clamp(1, MOST_AT_ONCE), self.redelivery, now);
                if !received.is_empty() || now >= deadline {
                    return Ok(received);
                }
                state.next_visible().map_or(deadline, |visible| visible.min(deadline))
            };
            tokio::select! {
                () = news => {}
                () = self.clock.sleep_until(next_look) => {}
            }
        }
    }

    async fn acknowledge(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.present()?.take(receipt);
        Ok(())
    }

    async fn keep_invisible(&self, receipt: &Receipt, time: Duration) -> Result<(), QueueError> {
        let visible_at = self.clock.now() + time;
        if let Some(message) = self.present()?.current(receipt) {
            message.visible_at = visible_at;
        }
        self.news.notify_waiters();
        Ok(())
    }

    async fn send(&self, messages: &[Outgoing]) -> Result<(), SendError> {
        let mut unsent = Unsent::default();
        let now = self.clock.now();
        match self.present() {
            Ok(mut state) => {
                for position in limits::acceptable(messages, &mut unsent) {
                    if state.to_refuse > 0 {
                        state.to_refuse -= 1;
                        unsent.note([position], anyhow!("the queue is overworked"));
                    } else {
                        state.store(&messages[position], self.redelivery, now);
                    }
                }
            }
            Err(QueueError(away)) => unsent.note(0..messages.len(), away),
        }
        self.news.notify_waiters();
        unsent.into_result()
    }

    async fn dead_letter(&self, message: &Received, reason: &str) -> Result<(), QueueError> {
        let mut state = self.present()?;
        if let Some(message) = state.take(&message.receipt) {
            state.dead.push((message, Some(reason.to_owned())));
        }
        Ok(())
    }

    async fn dead_letters(&self, max: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let state = self.present()?;
        let letter = |(message, reason): &(Message, Option<String>)| DeadLetter {
            body: message.body.clone(),
            reason: reason.clone(),
        };
        Ok(state.dead.iter().take(max).map(letter).collect())
    }

    async fn requeue_dead_letters(&self, max: usize) -> Result<usize, QueueError> {
        let now = self.clock.now();
        let mut state = self.present()?;
        let requeued = max.min(state.dead.len());
        let revived: Vec<_> = state
            .dead
            .drain(..requeued)
            .map(|(message, _)| Message {
                sent_at: now,
                visible_at: now,
                receives: 0,
                receipt: None,
                ..message
            })
            .collect();
        state.messages.extend(revived);
        self.news.notify_waiters();
        Ok(requeued)
    }

    async fn check(&self) -> Result<(), QueueError> {
        self.present().map(drop)
    }

    async fn depth(&self) -> Result<u64, QueueError> {
        let now = self.clock.now();
        let state = self.present()?;
        Ok(state.messages.iter().filter(|message| message.visible_at <= now).count() as u64)
    }
}
