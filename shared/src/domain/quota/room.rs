//! What is free now, and for whom: within the limit, beside what checks may want, and at what pace.

use std::ops::RangeInclusive;

use chrono::{DateTime, TimeDelta, Utc};

use super::book::ARRIVAL;
use super::{Ask, Book, Terms};
use crate::domain::RunMode;

impl Book {
    pub(super) fn allowed_for(&self, terms: &Terms, mode: RunMode) -> u64 {
        let allowed = self.said.last_allowed().unwrap_or(terms.allowed);
        terms.share_of(mode, allowed).max(1)
    }

    /// What one tenant is served in its turn: a fortieth of the window's, so that a run is not woken
    /// for one request where there could be ten.
    pub(super) fn portion(&self, terms: &Terms, ask: &Ask) -> u64 {
        (self.allowed_for(terms, ask.mode) / 40).clamp(ask.least, ask.wanted)
    }

    pub(super) fn in_use(&self) -> u64 {
        self.log.units() + self.slices.iter().map(|slice| slice.units).sum::<u64>()
    }

    /// Now, considering everything but other tenants of the same mode.
    pub(super) fn free_now(&self, terms: &Terms, ask: &Ask, now: DateTime<Utc>) -> u64 {
        let free = self.free_of_waiting_checks(terms, ask.mode, now);
        if !terms.shared || !ask.mode.is_onboarding() {
            return free;
        }
        let interval = self.interval(terms, now);
        free.min(self.pace.room(interval, tolerance(terms, interval, ask.least), now))
    }

    pub(super) fn free_of_waiting_checks(
        &self,
        terms: &Terms,
        mode: RunMode,
        now: DateTime<Utc>,
    ) -> u64 {
        let free = terms
            .share_of(mode, self.said.last_allowed().unwrap_or(terms.allowed).max(1))
            .saturating_sub(self.in_use());
        let free = self.said.left().map_or(free, |left| free.min(left));
        match mode {
            RunMode::Check => free,
            RunMode::Onboarding => {
                let wanted = self.claims.wanted_by_checks(&here(terms, now));
                free.saturating_sub(wanted.max(self.reserved()))
            }
        }
    }

    /// Between two units of onboardings, in microseconds: as close to each other as can be kept up,
    /// with what is free now and what comes free of theirs, without ever running out.
    pub(super) fn interval(&self, terms: &Terms, now: DateTime<Utc>) -> f64 {
        let mut free = self.free_of_waiting_checks(terms, RunMode::Onboarding, now);
        let mut longest = 0.0_f64;
        for (at, units) in self.releases_of_onboardings() {
            // What is soon there again is no reason to slow down.
            if at - now > terms.window() / 20 {
                // One more, because the next is taken when the interval begins.
                longest = longest.max(micros(at - now) / (free + 1) as f64);
            }
            free += units;
        }
        // A little closer, since turns are missed now and then.
        longest.max(micros(terms.window()) / free.max(1) as f64) * 0.98
    }

    fn releases_of_onboardings(&self) -> Vec<(DateTime<Utc>, u64)> {
        let leased = self.slices.iter().filter(|slice| slice.mode.is_onboarding());
        let leased = leased.map(|slice| (slice.until - ARRIVAL, slice.units));
        let mut releases: Vec<_> = self.log.releases_of_onboardings().chain(leased).collect();
        releases.sort_unstable();
        releases
    }
}

/// When whoever counts as being here comes: now, or a moment ago. Who is late is waited for only as
/// long as what is kept for them is not lost.
pub(super) fn here(terms: &Terms, now: DateTime<Utc>) -> RangeInclusive<DateTime<Utc>> {
    let late = (terms.window() / 20).min(TimeDelta::seconds(10));
    now - late..=now
}

/// What onboardings may take at once after a pause, in microseconds: a twentieth of the window's,
/// or a second's.
pub(super) fn tolerance(terms: &Terms, interval: f64, least: u64) -> f64 {
    let window = micros(terms.window());
    (window / 20.0).max(window.min(1e6)).max(interval * least as f64)
}

pub(super) fn micros(length: TimeDelta) -> f64 {
    length.num_microseconds().unwrap_or(i64::MAX) as f64
}
