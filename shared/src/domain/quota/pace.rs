//! Spreading onboardings over the window: one unit per interval, and after a pause a few at once.
//!
//! The arrival that theory has for the next unit moves on by an interval with each unit taken; there
//! is room as long as it is not further ahead of the present than the tolerance.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pace {
    /// In microseconds since the epoch, and parts of them.
    #[serde(default)]
    arrival: f64,
}

impl Pace {
    /// Units that may be taken now. `interval` and `tolerance` are microseconds.
    pub(super) fn room(self, interval: f64, tolerance: f64, now: DateTime<Utc>) -> u64 {
        let now = now.timestamp_micros() as f64;
        // What floating point loses is far below a microsecond's worth of units.
        ((now + tolerance - self.arrival.max(now)) / interval + 1e-6).max(0.0) as u64
    }

    pub(super) fn take(&mut self, interval: f64, units: u64, now: DateTime<Utc>) {
        self.arrival = self.arrival.max(now.timestamp_micros() as f64) + interval * units as f64;
    }

    pub(super) fn give_back(&mut self, interval: f64, units: u64) {
        self.arrival -= interval * units as f64;
    }

    pub(super) fn has_room_at(self, length: f64, tolerance: f64) -> DateTime<Utc> {
        let at = self.arrival + length - tolerance;
        let at = DateTime::from_timestamp_micros(at.ceil() as i64).unwrap_or_default();
        at + TimeDelta::microseconds(1)
    }
}
