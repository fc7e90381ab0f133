//! Slices in hand: units of a limit that this process may spend without asking.
//!
//! A slice is over when nothing of it can be spent any more and every request that it paid for has
//! been answered. Then it is settled, with the time of the last answer: the platform counted its
//! requests before that.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::domain::quota::SliceId;

/// One tenant's slices of one limit, of one mode. Instants are by [`Clock::running`].
pub(super) struct Slices {
    clock: Clock,
    /// Units that somebody is waiting for just now.
    pub(super) wanting: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slices: Vec<Slice>,
    /// What to want next, by how the last one went.
    size: u64,
    told_to_wait_until: Option<Duration>,
}

struct Slice {
    id: SliceId,
    left: u64,
    spent: u64,
    in_flight: u64,
    ends: Duration,
    answered: Duration,
}

/// What a slice that is over has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) slice: SliceId,
    pub(super) units: u64,
    pub(super) answered: Duration,
}

impl Slices {
    pub(super) fn by(clock: Clock) -> Arc<Self> {
        Arc::new(Self { clock, wanting: AtomicU64::new(0), state: Mutex::default() })
    }

    pub(super) fn take(self: &Arc<Self>, cost: u64, now: Duration) -> Option<Permit> {
        let mut state = self.state();
        let live = |slice: &&mut Slice| slice.left >= cost && slice.ends > now;
        let slice = state.slices.iter_mut().find(live)?;
        slice.left -= cost;
        slice.spent += cost;
        slice.in_flight += 1;
        Some(Permit { of: Arc::clone(self), slice: slice.id, cost, unsent: false })
    }

    pub(super) fn add(&self, id: SliceId, units: u64, ends: Duration) {
        let slice = Slice { id, left: units, spent: 0, in_flight: 0, ends, answered: ends };
        self.state().slices.push(slice);
    }

    /// Twice what was used up the last time, and never less than is waited for.
    pub(super) fn wanted(&self, cost: u64) -> u64 {
        self.state().size.max(self.wanting.load(Ordering::Relaxed)).max(cost)
    }

    pub(super) fn told_to_wait(&self, now: Duration) -> Option<Duration> {
        self.state()
            .told_to_wait_until
            .and_then(|until| until.checked_sub(now))
            .filter(|wait| !wait.is_zero())
    }

    pub(super) fn wait_until(&self, until: Duration) {
        self.state().told_to_wait_until = Some(until);
    }

    /// No more than this is left, whatever was leased.
    pub(super) fn leave(&self, units: Option<u64>) {
        let Some(mut units) = units else { return };
        for slice in &mut self.state().slices {
            slice.left = slice.left.min(units);
            units -= slice.left;
        }
    }

    pub(super) fn has_some_over(&self, now: Duration) -> bool {
        self.state().slices.iter().any(|slice| slice.is_over(now))
    }

    pub(super) fn over(&self, now: Duration) -> Vec<Spent> {
        let state = self.state();
        let over = state.slices.iter().filter(|slice| slice.is_over(now));
        over.map(|slice| Spent { slice: slice.id, units: slice.spent, answered: slice.answered })
            .collect()
    }

    pub(super) fn forget(&self, settled: &[Spent]) {
        let mut state = self.state();
        let State { slices, size, .. } = &mut *state;
        slices.retain(|slice| {
            let gone = settled.iter().any(|spent| spent.slice == slice.id);
            if gone {
                *size = if slice.left == 0 { slice.spent * 2 } else { slice.spent };
            }
            !gone
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state().slices.is_empty() && self.wanting.load(Ordering::Relaxed) == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slice {
    fn is_over(&self, now: Duration) -> bool {
        self.in_flight == 0 && (self.left == 0 || self.ends <= now)
    }
}

/// A request that may be sent. Dropped once it was answered, or when nobody waits for its answer
/// any more.
pub(super) struct Permit {
    of: Arc<Slices>,
    slice: SliceId,
    cost: u64,
    unsent: bool,
}

impl Permit {
    /// It was not sent, and will not be.
    pub(super) fn give_back(mut self) {
        self.unsent = true;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let now = self.of.clock.running();
        let mut state = self.of.state();
        let Some(slice) = state.slices.iter_mut().find(|slice| slice.id == self.slice) else {
            return;
        };
        slice.in_flight -= 1;
        if self.unsent {
            slice.left += self.cost;
            slice.spent -= self.cost;
        } else {
            slice.answered = now;
        }
    }
}
