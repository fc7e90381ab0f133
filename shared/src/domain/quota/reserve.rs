//! What is held back for checks: what they needed lately, and do not have now.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Book, Terms};

/// It is no more than this part of what is allowed: where onboardings are spread, so that there is
/// always some soon, and where they are not.
const MOST_RESERVED: [u64; 2] = [40, 10];
/// What checks needed is remembered for so long, or for two windows.
pub(super) const LATELY: TimeDelta = TimeDelta::hours(1);

/// What checks needed at the most, lately.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Peak {
    units: u64,
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub(super) until: DateTime<Utc>,
}

impl Book {
    /// Held back for checks: what they needed lately and do not have now.
    pub(super) fn reserved(&self) -> u64 {
        let Some(peak) = self.checks else { return 0 };
        peak.units.saturating_sub(self.used_by_checks())
    }

    fn used_by_checks(&self) -> u64 {
        let leased = self.slices.iter().filter(|slice| !slice.mode.is_onboarding());
        self.log.units_of_checks() + leased.map(|slice| slice.units).sum::<u64>()
    }

    pub(super) fn note_checks(&mut self, terms: &Terms, now: DateTime<Utc>) {
        let allowed = self.said.last_allowed().unwrap_or(terms.allowed);
        let part = MOST_RESERVED[usize::from(!terms.shared)];
        let units = self.used_by_checks().min(allowed / part);
        let known = self.checks.filter(|peak| peak.until > now);
        if units > 0 && known.is_none_or(|peak| peak.units <= units) {
            self.checks = Some(Peak { units, until: now + LATELY.max(terms.window() * 2) });
        } else {
            self.checks = known;
        }
    }
}
