//! What a limit says, as far as counting needs it: how much, in which windows, for whom.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{CountedBy, RecordLimit, RequestLimit, RunMode};

/// What a limit says, as far as counting needs it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// Requests, points or records in each window.
    pub allowed: u64,
    pub per: Duration,
    /// The share of it that onboardings may take.
    pub onboarding_factor: f64,
    /// Whether tenants take from one budget, so that onboardings are spread over the window.
    pub shared: bool,
    pub windows: Windows,
}

/// Where windows begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Windows {
    /// Everywhere: nobody knows where the platform's begin.
    Anywhere,
    /// One after the other from the epoch on: ours to say.
    InTurn,
}

impl From<&RequestLimit> for Terms {
    fn from(limit: &RequestLimit) -> Self {
        Self {
            allowed: u64::from(limit.allowed),
            per: limit.per,
            onboarding_factor: 1.0,
            shared: limit.counted_by == CountedBy::Application,
            windows: Windows::Anywhere,
        }
    }
}

impl From<&RecordLimit> for Terms {
    fn from(limit: &RecordLimit) -> Self {
        let per = Duration::from_secs(limit.per.as_secs().max(1));
        Self {
            allowed: limit.records,
            per,
            onboarding_factor: limit.onboarding_factor,
            shared: false,
            windows: Windows::InTurn,
        }
    }
}

impl Terms {
    pub(super) fn window(&self) -> TimeDelta {
        TimeDelta::from_std(self.per)
            .unwrap_or(TimeDelta::days(366))
            .max(TimeDelta::milliseconds(1))
    }

    /// When the window ends that this instant is in, if windows are ours to say.
    pub fn turns_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        floor(now, self.window()) + self.window()
    }

    pub(super) fn share_of(&self, mode: RunMode, allowed: u64) -> u64 {
        match mode {
            RunMode::Check => allowed,
            RunMode::Onboarding => (allowed as f64 * self.onboarding_factor) as u64,
        }
    }

    /// Until when a unit counts that is counted at `at`. Rounded up, so that a book has no more than
    /// a hundred entries whatever the limit.
    pub(super) fn counts_until(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        match self.windows {
            Windows::Anywhere => {
                let grain = (self.window() / 100).max(TimeDelta::milliseconds(1));
                let until = at + self.window();
                let floor = floor(until, grain);
                if floor == until { until } else { floor + grain }
            }
            Windows::InTurn => self.turns_at(at),
        }
    }
}

fn floor(at: DateTime<Utc>, grain: TimeDelta) -> DateTime<Utc> {
    let micros = at.timestamp_micros();
    let grain = grain.num_microseconds().unwrap_or(i64::MAX).max(1);
    DateTime::from_timestamp_micros(micros - micros.rem_euclid(grain)).unwrap_or(at)
}
