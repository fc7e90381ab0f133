//! The book itself: who asks gets a slice or a turn, a slice is settled, the platform is believed.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::claims::Claims;
use super::log::Log;
use super::pace::Pace;
use super::reserve::Peak;
use super::room::here;
use super::said::Statement;
use super::{Answer, Ask, Settled, SliceId, Terms};
use crate::domain::{RunMode, Said, TenantId};

/// After so long a request has arrived at its platform or never will, whether or not we hear of it.
pub(super) const ARRIVAL: TimeDelta = TimeDelta::seconds(10);
/// How long it is known who was served what, once their turn has come.
const PATIENCE: TimeDelta = TimeDelta::seconds(10);
/// Whoever was served comes back for more within this, or wants none.
const RETURN: TimeDelta = TimeDelta::seconds(2);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Book {
    #[serde(default, skip_serializing_if = "Log::is_empty")]
    pub(super) log: Log,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) slices: Vec<Slice>,
    #[serde(default)]
    pub(super) claims: Claims,
    #[serde(default)]
    pub(super) pace: Pace,
    #[serde(default)]
    pub(super) said: Statement,
    /// What checks needed at the most, lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) checks: Option<Peak>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Slice {
    id: SliceId,
    tenant: TenantId,
    pub(super) mode: RunMode,
    pub(super) units: u64,
    /// If nobody settles it.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub(super) until: DateTime<Utc>,
}

impl Book {
    /// Leases a slice, or says when to ask again.
    pub fn ask(&mut self, terms: &Terms, ask: &Ask, now: DateTime<Utc>) -> Answer {
        self.forget(terms, now);
        let ask = Ask { least: ask.least.clamp(1, self.allowed_for(terms, ask.mode)), ..*ask };
        let ask =
            Ask { wanted: ask.wanted.clamp(ask.least, most_at_once(terms, ask.least)), ..ask };
        let portion = self.portion(terms, &ask);
        self.claims.enter(&ask, self.allowed_for(terms, ask.mode) / 10, now);
        let free = self.free_now(terms, &ask, now);
        let units = self.claims.share(&ask, portion, free, &here(terms, now));
        if units < ask.least || self.said.blocked_until(now).is_some() {
            let until = self.turn(terms, &ask, portion, now);
            self.claims.wait(&ask, until, until + PATIENCE);
            return Answer::Wait { until };
        }
        self.lease(terms, &ask, units, now);
        Answer::Leased { units, life: life(terms) }
    }

    fn lease(&mut self, terms: &Terms, ask: &Ask, units: u64, now: DateTime<Utc>) {
        let until = terms.counts_until(now + life(terms) + ARRIVAL);
        let Ask { slice: id, tenant, mode, .. } = *ask;
        self.slices.push(Slice { id, tenant, mode, units, until });
        self.said.take(units);
        let until = now + life(terms) + RETURN;
        self.claims.served(ask, units, now, until, terms.window());
        if mode.is_onboarding() {
            self.pace.take(self.interval(terms, now), units, now);
        }
        self.note_checks(terms, now);
    }

    /// A slice is over. One that is not there any more has counted for as long as it could.
    pub fn settle(&mut self, terms: &Terms, settled: &Settled, now: DateTime<Utc>) {
        let Some(index) = self.slices.iter().position(|slice| slice.id == settled.slice) else {
            return;
        };
        let slice = self.slices.swap_remove(index);
        let unspent = slice.units.saturating_sub(settled.spent);
        self.log.add(slice.mode, settled.spent, terms.counts_until(settled.at.min(now)));
        self.said.give_back(unspent);
        self.claims.unserved(slice.tenant, slice.mode, unspent);
        if slice.mode.is_onboarding() {
            self.pace.give_back(self.interval(terms, now), unspent);
        }
    }

    /// Counts what has been taken without asking.
    pub fn spend(&mut self, terms: &Terms, mode: RunMode, units: u64, now: DateTime<Utc>) {
        self.forget(terms, now);
        self.log.add(mode, units, terms.counts_until(now));
    }

    /// Believes the platform.
    pub fn heed(&mut self, terms: &Terms, said: &Said, now: DateTime<Utc>) {
        let leased = self.slices.iter().map(|slice| slice.units).sum();
        self.said.heed(terms, said, leased, now);
    }

    /// What a run of this mode could take now, if nobody else wanted any.
    pub fn left(&self, terms: &Terms, mode: RunMode, now: DateTime<Utc>) -> u64 {
        let mut book = self.clone();
        book.forget(terms, now);
        match book.said.blocked_until(now) {
            Some(_) => 0,
            None => book.free_of_waiting_checks(terms, mode, now),
        }
    }

    /// When more is left than now; `None` if nothing of it counts.
    pub fn frees_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let blocked = self.said.blocked_until(now);
        blocked.or_else(|| self.releases().map(|(at, _)| at).filter(|at| *at > now).min())
    }

    /// Until when the platform wants to be left alone.
    pub fn blocked_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.said.blocked_until(now)
    }

    /// What each window allows, as the platform says if it does.
    pub fn allowed(&self, terms: &Terms, now: DateTime<Utc>) -> u64 {
        self.said.allowed(now).unwrap_or(terms.allowed).max(1)
    }

    /// How many tenants use or want some.
    pub fn tenants(&self, now: DateTime<Utc>) -> usize {
        self.claims.tenants(now).len()
    }

    /// When this tenant's turn is expected, if it waits.
    pub fn turn_of(
        &self,
        tenant: TenantId,
        mode: RunMode,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        self.claims.turn_of(tenant, mode, now)
    }

    /// When nothing of it counts any more, so that a book without a word says the same.
    pub fn over_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let counted = self.releases().map(|(at, _)| at);
        let peak = self.checks.map(|peak| peak.until);
        counted.chain(self.said.until()).chain(self.claims.until()).chain(peak).max().unwrap_or(now)
    }

    fn forget(&mut self, terms: &Terms, now: DateTime<Utc>) {
        self.log.forget(now);
        self.slices.retain(|slice| slice.until > now);
        self.claims.forget(now);
        self.said.forget(now);
        if self.checks.is_some_and(|peak| peak.until <= now) {
            self.note_checks(terms, now);
        }
    }
}

/// How long a slice may be spent: short against the window, since it counts for as much longer.
fn life(terms: &Terms) -> Duration {
    (terms.per / 50).clamp(Duration::from_millis(100), Duration::from_secs(10))
}

/// A twentieth, so that no slice keeps many waiting.
fn most_at_once(terms: &Terms, least: u64) -> u64 {
    (terms.allowed / 20).max(least)
}
