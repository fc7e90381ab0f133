//! What all requests share. Each lock is held for a look or a change, never while waiting.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use axum::response::Response;

use super::faults::Script;
use super::requests::Requests;
use super::{Incoming, Platform};

pub struct Site<P: Platform> {
    /// What the platform keeps beside the world.
    pub rules: P,
    world: RwLock<P::World>,
    pub(super) requests: Requests<P::Request>,
    script: Mutex<Script<P::Fault>>,
    latency: Mutex<Duration>,
    refused: AtomicU64,
}

impl<P: Platform> Site<P> {
    pub(super) fn of(world: P::World) -> Self {
        Self {
            rules: P::default(),
            world: RwLock::new(world),
            requests: Requests::default(),
            script: Mutex::default(),
            latency: Mutex::default(),
            refused: AtomicU64::new(0),
        }
    }

    pub fn look<T>(&self, look: impl FnOnce(&P::World) -> T) -> T {
        look(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn edit<T>(&self, change: impl FnOnce(&mut P::World) -> T) -> T {
        change(&mut self.world.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// By the endpoint, unless a fault is due.
    pub async fn answer(&self, asked: &P::Request, incoming: Incoming) -> Response {
        let fault = self.script().take(asked, |fault| P::befalls(fault, asked));
        match fault {
            Some(fault) => P::misbehave(fault, incoming).await,
            None => incoming.answer().await,
        }
    }

    /// Corrects what the log says of this request.
    pub fn amend(&self, incoming: &Incoming, change: impl FnOnce(&mut P::Request)) {
        self.requests.amend(incoming.number, change);
    }

    /// Counts a request that came too early for a limit.
    pub fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused_count(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script<P::Fault>> {
        lock(&self.script)
    }

    pub(super) fn latency(&self) -> Duration {
        *lock(&self.latency)
    }

    pub(super) fn set_latency(&self, latency: Duration) {
        *lock(&self.latency) = latency;
    }
}

/// A scenario that panicked while it held a lock has failed already; the site goes on for the rest.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
