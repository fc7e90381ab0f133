//! What all requests share. Each lock is held for a look or a change, never while waiting.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use super::community::Community;
use super::faults::Script;
use super::limits::Limiter;
use super::requests::Requests;

pub(super) struct Site {
    community: RwLock<Community>,
    requests: Mutex<Requests>,
    limiter: Mutex<Limiter>,
    script: Mutex<Script>,
    latency: Mutex<Duration>,
}

impl Site {
    pub(super) fn of(community: Community) -> Self {
        Self {
            community: RwLock::new(community),
            requests: Mutex::default(),
            limiter: Mutex::default(),
            script: Mutex::default(),
            latency: Mutex::default(),
        }
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&Community) -> T) -> T {
        look(&self.community.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn edit<T>(&self, change: impl FnOnce(&mut Community) -> T) -> T {
        change(&mut self.community.write().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn requests(&self) -> MutexGuard<'_, Requests> {
        lock(&self.requests)
    }

    pub(super) fn limiter(&self) -> MutexGuard<'_, Limiter> {
        lock(&self.limiter)
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
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
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
