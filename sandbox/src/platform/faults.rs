//! Misbehaviour by script: what goes wrong, for which requests, how often.

use super::Asked;

/// So often, that it never ends by itself.
pub const ALWAYS: u32 = u32::MAX;

pub(super) struct Script<F>(Vec<Line<F>>);

struct Line<F> {
    what: String,
    times_left: u32,
    fault: F,
}

impl<F> Default for Script<F> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<F: Clone> Script<F> {
    pub(super) fn add(&mut self, what: &str, times: u32, fault: F) {
        self.0.push(Line { what: what.to_owned(), times_left: times, fault });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes the first line that is about this request, befalls it, and is not used up.
    pub(super) fn take(&mut self, asked: &impl Asked, befalls: impl Fn(&F) -> bool) -> Option<F> {
        let due = |line: &&mut Line<F>| {
            line.times_left > 0 && asked.asks_for(&line.what) && befalls(&line.fault)
        };
        let line = self.0.iter_mut().find(due)?;
        if line.times_left != ALWAYS {
            line.times_left -= 1;
        }
        Some(line.fault.clone())
    }
}
