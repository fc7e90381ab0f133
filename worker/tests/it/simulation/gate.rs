//! Where a process can be held in the middle of what it does, to stall there, to wake, or to die.

use std::sync::Arc;

use tokio::sync::watch;

/// A step of a worker or a generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// In `preprocess`.
    Preparing,
    /// In `streams`.
    Listing,
    /// With a page in hand that is not committed.
    Page,
    /// In `postprocess`, every stream having ended.
    Closing,
    /// About to send messages.
    Sending,
    /// Messages are sent, and not yet noted as sent.
    Sent,
    /// Everything is committed, and the message is still there.
    Acknowledging,
}

/// The gate of one process. Whoever passes the point it is closed at waits until it opens.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<watch::Sender<State>>);

#[derive(Default)]
struct State {
    /// Closes when the process comes to this point.
    wanted: Option<Point>,
    closed: Option<Point>,
    /// How many wait.
    held: usize,
}

impl Gate {
    /// The process is held when it next comes to this point.
    pub(super) fn hold_at(&self, point: Point) {
        self.0.send_modify(|state| state.wanted = Some(point));
    }

    /// Lets go whoever is held, and holds nobody any more.
    pub(super) fn open(&self) {
        self.0.send_modify(|state| (state.wanted, state.closed) = (None, None));
    }

    pub(super) async fn until_held(&self) {
        // Who was let go may not know it yet. The sender is ours, so it cannot be gone.
        let held = |state: &State| state.closed.is_some() && state.held > 0;
        let _ = self.0.subscribe().wait_for(held).await;
    }

    /// What the process calls at each point.
    pub(super) async fn pass(&self, point: Point) {
        if self.is_closed_at(point) {
            let _held = Held::at(self);
            let _ = self.0.subscribe().wait_for(|state| state.closed != Some(point)).await;
        }
    }

    fn is_closed_at(&self, point: Point) -> bool {
        self.0.send_if_modified(|state| {
            if state.wanted == Some(point) {
                (state.wanted, state.closed) = (None, Some(point));
            }
            state.closed == Some(point)
        })
    }
}

/// Counts who waits, also when waiting is given up.
struct Held<'a>(&'a Gate);

impl<'a> Held<'a> {
    fn at(gate: &'a Gate) -> Self {
        gate.0.send_modify(|state| state.held += 1);
        Self(gate)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.held -= 1);
    }
}
