//! What all requests share. Each lock is held for a look or a change, never while waiting.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

use super::community::Community;
use super::faults::{Fault, Script};
use super::limit::{Limiter, RateLimit};
use super::requests::{Request, Requests};

pub(super) struct Site {
    community: RwLock<Community>,
    pub(super) requests: Requests,
    limiter: Mutex<Limiter>,
    script: Mutex<Script>,
    latency: Mutex<Duration>,
}

impl Site {
    pub(super) fn of(community: Community) -> Self {
        Self {
            community: RwLock::new(community),
            requests: Requests::default(),
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

    pub(super) fn set_limit(&self, limit: Option<RateLimit>) {
        lock(&self.limiter).set(limit);
    }

    pub(super) fn admit(&self, now: Instant) -> Result<(), Duration> {
        lock(&self.limiter).admit(now)
    }

    pub(super) fn refused(&self) -> u64 {
        lock(&self.limiter).refused
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.script)
    }

    pub(super) fn next_fault(&self, request: &Request) -> Option<Fault> {
        self.script().take(request)
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
