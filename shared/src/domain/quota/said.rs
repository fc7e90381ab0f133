//! What the platform itself says of a limit. It knows better than we do: others may use the same
//! credential, and a contract may allow more than its documentation.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Terms;
use crate::domain::Said;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Statement {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    allowed: Option<Until>,
    /// What is left of the platform's own window, less what is leased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left: Option<Until>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blocked: Option<Until>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Until {
    units: u64,
    #[serde(with = "chrono::serde::ts_microseconds")]
    until: DateTime<Utc>,
}

impl Statement {
    /// `leased`: units that may have been spent before the platform said so, or will be after.
    pub(super) fn heed(&mut self, terms: &Terms, said: &Said, leased: u64, now: DateTime<Utc>) {
        let resets_in = said.resets_in.and_then(|resets_in| TimeDelta::from_std(resets_in).ok());
        let until = now + resets_in.unwrap_or(terms.window());
        if let Some(allowed) = said.allowed.filter(|allowed| *allowed > 0) {
            let until = until.max(now + terms.window());
            self.allowed = Some(Until { units: u64::from(allowed), until });
        }
        if let Some(remaining) = said.remaining {
            let units = u64::from(remaining).saturating_sub(leased);
            self.left = Some(Until { units, until });
        }
        if let Some(refused) = said.refused_for.and_then(|wait| TimeDelta::from_std(wait).ok()) {
            let until = self.blocked.map_or(now, |known| known.until).max(now + refused);
            self.blocked = Some(Until { units: 0, until });
        }
    }

    pub(super) fn take(&mut self, units: u64) {
        if let Some(left) = &mut self.left {
            left.units = left.units.saturating_sub(units);
        }
    }

    pub(super) fn give_back(&mut self, units: u64) {
        if let Some(left) = &mut self.left {
            left.units += units;
        }
    }

    pub(super) fn allowed(&self, now: DateTime<Utc>) -> Option<u64> {
        self.allowed.filter(|allowed| allowed.until > now).map(|allowed| allowed.units)
    }

    /// After what is over has been forgotten.
    pub(super) fn last_allowed(&self) -> Option<u64> {
        self.allowed.map(|allowed| allowed.units)
    }

    pub(super) fn left(&self) -> Option<u64> {
        self.left.map(|left| left.units)
    }

    pub(super) fn left_until(&self) -> Option<DateTime<Utc>> {
        self.left.map(|left| left.until)
    }

    pub(super) fn blocked_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.blocked.map(|blocked| blocked.until).filter(|until| *until > now)
    }

    pub(super) fn until(&self) -> Option<DateTime<Utc>> {
        [self.allowed, self.left, self.blocked].into_iter().flatten().map(|said| said.until).max()
    }

    pub(super) fn forget(&mut self, now: DateTime<Utc>) {
        for said in [&mut self.allowed, &mut self.left, &mut self.blocked] {
            *said = said.filter(|said| said.until > now);
        }
    }
}
