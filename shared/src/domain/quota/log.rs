//! What has been spent, for as long as it counts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::RunMode;

/// By when it stops counting. What stops together is one entry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Log(Vec<Spent>);

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Spent {
    #[serde(with = "chrono::serde::ts_microseconds")]
    until: DateTime<Utc>,
    onboardings: u64,
    checks: u64,
}

impl Log {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, mode: RunMode, units: u64, until: DateTime<Utc>) {
        if units == 0 {
            return;
        }
        let entry = match self.0.iter().position(|spent| spent.until == until) {
            Some(index) => &mut self.0[index],
            None => {
                self.0.push(Spent { until, onboardings: 0, checks: 0 });
                // It has just been pushed.
                self.0.last_mut().expect("an entry")
            }
        };
        match mode {
            RunMode::Onboarding => entry.onboardings += units,
            RunMode::Check => entry.checks += units,
        }
    }

    pub(super) fn units(&self) -> u64 {
        self.0.iter().map(|spent| spent.onboardings + spent.checks).sum()
    }

    pub(super) fn units_of_checks(&self) -> u64 {
        self.0.iter().map(|spent| spent.checks).sum()
    }

    pub(super) fn releases(&self) -> impl Iterator<Item = (DateTime<Utc>, u64)> {
        self.0.iter().map(|spent| (spent.until, spent.onboardings + spent.checks))
    }

    pub(super) fn releases_of_onboardings(&self) -> impl Iterator<Item = (DateTime<Utc>, u64)> {
        let spent = self.0.iter().filter(|spent| spent.onboardings > 0);
        spent.map(|spent| (spent.until, spent.onboardings))
    }

    pub(super) fn forget(&mut self, now: DateTime<Utc>) {
        self.0.retain(|spent| spent.until > now);
    }
}
