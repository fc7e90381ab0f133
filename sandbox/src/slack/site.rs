//! What all requests share. Each lock is held for a look or a change, never while waiting.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::limits::Limits;
use super::workspace::Workspace;

/// A question that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Such as `conversations.history`.
    pub method: String,
    pub parameters: BTreeMap<String, String>,
}

/// What goes wrong by script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Status 429, and after how many seconds to come back.
    TooManyRequests(u64),
    /// Status 200 and `ok: false` with this error.
    Says(&'static str),
    /// This status, and a body that is no JSON.
    Status(u16),
}

#[derive(Debug)]
pub(super) struct Site {
    workspace: Mutex<Workspace>,
    pub(super) limits: Mutex<Limits>,
    requests: Mutex<Vec<Request>>,
    script: Mutex<Vec<(String, u32, Fault)>>,
    latency: Mutex<Duration>,
}

impl Site {
    pub(super) fn of(workspace: Workspace) -> Self {
        Self {
            workspace: Mutex::new(workspace),
            limits: Mutex::default(),
            requests: Mutex::default(),
            script: Mutex::default(),
            latency: Mutex::default(),
        }
    }

    pub(super) fn workspace(&self) -> MutexGuard<'_, Workspace> {
        lock(&self.workspace)
    }

    pub(super) fn limits(&self) -> MutexGuard<'_, Limits> {
        lock(&self.limits)
    }

    pub(super) fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        lock(&self.requests)
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Vec<(String, u32, Fault)>> {
        lock(&self.script)
    }

    /// The one that was arranged first.
    pub(super) fn next_fault(&self, method: &str) -> Option<Fault> {
        let mut script = self.script();
        let at = script.iter().position(|(of, times, _)| of == method && *times > 0)?;
        let (_, times, fault) = &mut script[at];
        *times -= 1;
        Some(*fault)
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
