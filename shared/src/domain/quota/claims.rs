//! Who wants some, and whose turn it is.
//!
//! Among tenants that want some at the same time, whoever was served least goes first; so all get the
//! same, except that nobody gets more than they want (max-min). Who comes begins a little below where
//! the others are: with a credit of a tenth of the window's, once in a window, so that a few
//! requests need not wait behind somebody's thousands. A claim ends by itself, some seconds after its
//! turn or its last slice; who was served is remembered for a window.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::super::{RunMode, TenantId};
use super::Ask;

/// When those come who count as being here.
type Here = RangeInclusive<DateTime<Utc>>;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Claims {
    all: Vec<Claim>,
    /// How far those were served who were served last: onboardings, checks.
    levels: [u64; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Claim {
    tenant: TenantId,
    mode: RunMode,
    /// Units, counted from where the least served were when it came.
    served: u64,
    /// Units it would take if they were there.
    wanted: u64,
    /// Since when it has waited: the order among those who were served alike.
    #[serde(with = "chrono::serde::ts_microseconds")]
    since: DateTime<Utc>,
    /// When it comes back for them; until then nothing is kept for it.
    #[serde(with = "chrono::serde::ts_microseconds")]
    from: DateTime<Utc>,
    /// When it is given up.
    #[serde(with = "chrono::serde::ts_microseconds")]
    until: DateTime<Utc>,
    /// Until when it is remembered what it was served.
    #[serde(with = "chrono::serde::ts_microseconds")]
    known: DateTime<Utc>,
}

impl Claims {
    /// Somebody is here, and wants some.
    pub(super) fn enter(&mut self, ask: &Ask, credit: u64, now: DateTime<Utc>) {
        let lowest = self.levels[ask.mode as usize].saturating_sub(credit);
        let Some(claim) = self.find(ask.tenant, ask.mode) else {
            return self.all.push(Claim {
                tenant: ask.tenant,
                mode: ask.mode,
                served: lowest,
                wanted: ask.wanted,
                since: now,
                from: now,
                until: now,
                known: now,
            });
        };
        if claim.wanted == 0 {
            claim.since = now;
        }
        if claim.until <= now {
            claim.served = claim.served.max(lowest);
        }
        (claim.wanted, claim.from) = (ask.wanted, now);
    }

    /// What falls to the asker of so many free units. Everybody who is here is filled up to
    /// one level, as far as they want; and whoever is first in line gets a portion.
    pub(super) fn share(&self, ask: &Ask, portion: u64, free: u64, here: &Here) -> u64 {
        let wanting: Vec<_> = self
            .of(ask.mode)
            .filter(|claim| here.contains(&claim.from) && claim.wanted > 0)
            .collect();
        let Some(mine) = wanting.iter().find(|claim| claim.tenant == ask.tenant) else { return 0 };
        let filled = |level: u64| wanting.iter().map(|claim| claim.below(level)).sum::<u64>();
        let level = highest(|level| filled(level) <= free, bounds(&wanting));
        let in_line = free.saturating_sub(self.ahead_of(ask, portion, here)).min(portion);
        mine.below(level).max(in_line)
    }

    /// Units for those who are here and have their turn before the asker.
    pub(super) fn ahead_of(&self, ask: &Ask, portion: u64, here: &Here) -> u64 {
        let Some(mine) = self.of(ask.mode).find(|claim| claim.tenant == ask.tenant) else {
            return 0;
        };
        let order = |claim: &Claim| (claim.served, claim.since, claim.tenant);
        let first = self
            .of(ask.mode)
            .filter(|claim| here.contains(&claim.from) && order(claim) < order(mine));
        let units = first.map(|claim| claim.below(mine.served + portion));
        let checks = if ask.mode.is_onboarding() { self.wanted_by_checks(here) } else { 0 };
        units.sum::<u64>() + checks
    }

    pub(super) fn wait(&mut self, ask: &Ask, from: DateTime<Utc>, until: DateTime<Utc>) {
        if let Some(claim) = self.find(ask.tenant, ask.mode) {
            (claim.from, claim.until, claim.known) = (from, until, claim.known.max(until));
        }
    }

    /// What it was served is known for as long as a window.
    pub(super) fn served(
        &mut self,
        ask: &Ask,
        units: u64,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        window: TimeDelta,
    ) {
        let Some(claim) = self.find(ask.tenant, ask.mode) else { return };
        let level = claim.served;
        claim.served += units;
        claim.wanted = claim.wanted.saturating_sub(units);
        (claim.from, claim.until, claim.known) = (now, until, until.max(now + window));
        let highest = &mut self.levels[ask.mode as usize];
        *highest = level.max(*highest);
    }

    pub(super) fn unserved(&mut self, tenant: TenantId, mode: RunMode, units: u64) {
        if let Some(claim) = self.find(tenant, mode) {
            claim.served = claim.served.saturating_sub(units);
        }
    }

    /// What checks that are here have not got yet.
    pub(super) fn wanted_by_checks(&self, here: &Here) -> u64 {
        let checks = self.of(RunMode::Check).filter(|claim| here.contains(&claim.from));
        checks.map(|claim| claim.wanted).sum()
    }

    pub(super) fn tenants(&self, now: DateTime<Utc>) -> BTreeSet<TenantId> {
        self.all.iter().filter(|claim| claim.until > now).map(|claim| claim.tenant).collect()
    }

    pub(super) fn turn_of(
        &self,
        tenant: TenantId,
        mode: RunMode,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let mine = self.of(mode).find(|claim| claim.tenant == tenant && claim.until > now)?;
        (mine.wanted > 0).then_some(mine.from)
    }

    pub(super) fn until(&self) -> Option<DateTime<Utc>> {
        self.all.iter().map(|claim| claim.known).max()
    }

    pub(super) fn forget(&mut self, now: DateTime<Utc>) {
        self.all.retain(|claim| claim.known > now);
        for claim in self.all.iter_mut().filter(|claim| claim.until <= now) {
            claim.wanted = 0;
        }
    }

    fn of(&self, mode: RunMode) -> impl Iterator<Item = &Claim> {
        self.all.iter().filter(move |claim| claim.mode == mode)
    }

    fn find(&mut self, tenant: TenantId, mode: RunMode) -> Option<&mut Claim> {
        self.all.iter_mut().find(|claim| claim.tenant == tenant && claim.mode == mode)
    }
}

/// Levels below which nobody gets anything, and at which everybody has all they want.
fn bounds(claims: &[&Claim]) -> (u64, u64) {
    let lowest = claims.iter().map(|claim| claim.served).min().unwrap_or(0);
    let highest = claims.iter().map(|claim| claim.served + claim.wanted).max().unwrap_or(0);
    (lowest, highest)
}

impl Claim {
    /// Units it takes until it was served up to a level.
    fn below(&self, level: u64) -> u64 {
        level.saturating_sub(self.served).min(self.wanted)
    }
}

/// The highest level within the bounds that is still well; the lowest always is.
fn highest(well: impl Fn(u64) -> bool, (mut low, mut high): (u64, u64)) -> u64 {
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if well(middle) { low = middle } else { high = middle - 1 }
    }
    low
}
