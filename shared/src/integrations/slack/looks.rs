//! When we last looked at what: how a check finds the new without reading the old.
//!
//! Slack tells nothing of a reply but in two places: in its thread, which costs a request to read,
//! and at the thread's first message, which says when it was last answered. So a check reads a
//! channel from somewhat before the last check on, sees those first messages again, and reads the
//! threads that were answered since. How far back it goes is a staircase: a little at each check,
//! further seldom ([`Reach`]). What was written in between was last looked at by a longer look, and
//! that one's time is what its replies are compared with:
//!
//! ```text
//!            30 days              7 days        1 day    now
//!   ├──────────┼────────────────────┼─────────────┼───────┤
//!   not again  │ looked at yesterday│ 6 hours ago │ 20 minutes ago
//! ```
//!
//! A look begins where the one before it of its kind would have begun had it been made then, so
//! the reaches of two looks overlap however long the pause between them was.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::ts::Ts;

/// Slack's clock and ours may differ, and a message may be seen only some time after it got its
/// timestamp: so much is read again.
pub(super) const OVERLAP: TimeDelta = TimeDelta::minutes(10);

/// How far back to look, and how often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reach {
    pub(super) back: TimeDelta,
    pub(super) every: TimeDelta,
}

/// A channel was read at this time, from this instant on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Look {
    pub(super) at: DateTime<Utc>,
    pub(super) from: DateTime<Utc>,
}

/// The looks that still tell something; none: never looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Looks(Vec<Look>);

impl Looks {
    pub(super) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// What happened to a message or its thread from here on we may not know yet; `None`: we know
    /// nothing of it.
    pub(super) fn known_until(&self, written: Ts) -> Option<Ts> {
        let looks = self.0.iter().filter(|look| Ts::at(look.from) <= written);
        Some(Ts::at(looks.map(|look| look.at).max()? - OVERLAP))
    }

    /// From where a check that starts now has to read; `None`: from the beginning.
    pub(super) fn begin(&self, reaches: &[Reach], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let due = reaches.iter().filter(|reach| self.is_due(reach, now));
        let begins = due.filter_map(|reach| Some(self.last_as_far(reach)?.at - reach.back));
        // However short the first reach: nothing may lie between two looks.
        let latest = self.0.iter().map(|look| look.at).max()? - OVERLAP;
        begins.chain([latest]).min()
    }

    pub(super) fn is_due(&self, reach: &Reach, now: DateTime<Utc>) -> bool {
        self.as_far(reach).is_none_or(|look| now - look.at >= reach.every)
    }

    /// Remembers this look, and forgets those that it and the others make superfluous.
    #[must_use]
    pub(super) fn and(&self, look: Look, reaches: &[Reach]) -> Self {
        let mut looks = self.clone();
        looks.0.push(look);
        let mut kept: Vec<_> = reaches.iter().filter_map(|it| looks.as_far(it)).cloned().collect();
        kept.sort_by_key(|look| std::cmp::Reverse(look.at));
        kept.dedup();
        Self(kept)
    }

    /// The latest that reached so far back.
    fn as_far(&self, reach: &Reach) -> Option<&Look> {
        let far = self.0.iter().filter(|look| look.from <= look.at - reach.back);
        far.max_by_key(|look| look.at)
    }

    /// After a change of reaches there may be none that far: then the furthest.
    fn last_as_far(&self, reach: &Reach) -> Option<&Look> {
        self.as_far(reach).or_else(|| self.0.iter().min_by_key(|look| look.from))
    }
}
