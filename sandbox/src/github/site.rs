//! What all requests share. Each lock is held for a look or a change, never while waiting.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::credentials::Tokens;
use super::faults::Script;
use super::limits::Ledger;
use super::requests::Requests;
use super::world::World;

pub(super) struct Site {
    pub(super) world: Mutex<World>,
    pub(super) requests: Mutex<Requests>,
    pub(super) script: Mutex<Script>,
    pub(super) tokens: Mutex<Tokens>,
    /// Whatever was ever shown as a token, good or not.
    pub(super) shown: Mutex<BTreeSet<String>>,
    pub(super) graphql: Mutex<Ledger>,
    pub(super) core: Mutex<Ledger>,
    pub(super) latency: Mutex<Duration>,
    /// What happens after the next answer to something.
    pub(super) later: Mutex<Vec<(String, Change)>>,
}

pub(super) type Change = Box<dyn FnOnce(&mut World) + Send>;

impl Site {
    pub(super) fn of(world: World) -> Self {
        Self {
            world: Mutex::new(world),
            requests: Mutex::default(),
            script: Mutex::default(),
            tokens: Mutex::default(),
            shown: Mutex::default(),
            graphql: Mutex::new(Ledger::of("graphql")),
            core: Mutex::new(Ledger::of("core")),
            latency: Mutex::default(),
            later: Mutex::default(),
        }
    }
}

/// A scenario that panicked while it held a lock has failed already; the site goes on for the rest.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
