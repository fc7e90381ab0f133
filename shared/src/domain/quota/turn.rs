//! When there will be enough, for whoever has to wait.

use std::ops::RangeInclusive;

use chrono::{DateTime, TimeDelta, Utc};

use super::book::ARRIVAL;
use super::room::{micros, tolerance};
use super::{Ask, Book, Terms};
use crate::domain::RunMode;

const ANY_TIME: RangeInclusive<DateTime<Utc>> = DateTime::<Utc>::MIN_UTC..=DateTime::<Utc>::MAX_UTC;

impl Book {
    /// When there is expected to be enough for all who go first, and for the asker.
    pub(super) fn turn(
        &self,
        terms: &Terms,
        ask: &Ask,
        portion: u64,
        now: DateTime<Utc>,
    ) -> DateTime<Utc> {
        let ahead = self.claims.ahead_of(ask, portion, &ANY_TIME);
        let need = portion + ahead;
        let mut at = self.frees(terms, ask.mode, need, now);
        let interval = self.interval(terms, now);
        if terms.shared && ask.mode.is_onboarding() {
            // At the pace of now, which may be slow for a moment: then by a turn at the most.
            let steady = micros(terms.window()) / self.allowed_for(terms, ask.mode) as f64;
            let slowest = steady * need as f64 + micros(terms.window()) / 40.0;
            let length = (interval * need as f64).min(slowest);
            at = at.max(self.pace.has_room_at(length, tolerance(terms, interval, ask.least)));
        }
        let blocked = self.said.blocked_until(now).unwrap_or(now);
        at.max(blocked).max(now + shortest_wait(interval))
    }

    /// When so many units will be free for this mode, as things stand.
    fn frees(&self, terms: &Terms, mode: RunMode, need: u64, now: DateTime<Utc>) -> DateTime<Utc> {
        let most = self.allowed_for(terms, mode);
        let windows = (need - 1) / most;
        let need = need - windows * most;
        let mut releases: Vec<_> = self.releases().collect();
        releases.sort_unstable();
        let free = terms.share_of(mode, self.said.last_allowed().unwrap_or(terms.allowed).max(1));
        let reserved = if mode.is_onboarding() { self.reserved() } else { 0 };
        let mut missing = (self.in_use() + reserved + need).saturating_sub(free);
        let mut at = now;
        for (release, units) in releases {
            if missing == 0 {
                break;
            }
            at = release;
            missing = missing.saturating_sub(units);
        }
        let said = self.said.left().is_some_and(|left| left < need);
        let at = if said { at.max(self.said.left_until().unwrap_or(at)) } else { at };
        at + terms.window() * i32::try_from(windows).unwrap_or(i32::MAX)
    }

    /// When units stop counting, and how many. Of slices, if their requests are answered at once.
    pub(super) fn releases(&self) -> impl Iterator<Item = (DateTime<Utc>, u64)> {
        let leased = self.slices.iter().map(|slice| (slice.until - ARRIVAL, slice.units));
        self.log.releases().chain(leased)
    }
}

/// Nothing will have changed before.
fn shortest_wait(interval: f64) -> TimeDelta {
    let interval = TimeDelta::microseconds(interval as i64);
    interval.clamp(TimeDelta::milliseconds(10), TimeDelta::seconds(1))
}
