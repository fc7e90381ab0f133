//! One limit's book: what is spent and leased of it, and who waits for some.
//!
//! Pure arithmetic over one value, so that whoever holds the limit's row decides alone, and a
//! test can live through a thousand windows. Workers do not ask for each request: they lease a
//! *slice*, a few units to be spent within seconds, and say afterwards when its last
//! request was answered.
//!
//! **Never above the limit.** A unit counts from when it is leased until a whole window after its
//! request was answered. The platform counted it somewhere between the two; so in any interval as
//! long as a window, wherever the platform begins its own, it counted no more than there are units.
//! A slice that nobody settles, because its worker died, counts for as long as its requests could.
//!
//! **Checks before onboardings.** Onboardings take nothing that a waiting check could, and leave
//! alone what checks used to need lately (a tenth at the most; nothing where there are no checks).
//! On a limit that tenants share they are spread evenly over the window, so that whoever comes next
//! finds some; checks may burst.
//!
//! **Fair between tenants.** Whoever was served least goes first (`claims.rs`).

mod claims;
mod log;
mod pace;
#[cfg(test)]
mod play;
mod said;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use self::claims::Claims;
use self::log::Log;
use self::pace::Pace;
use self::said::Statement;
use super::{CountedBy, RecordLimit, RequestLimit, RunMode, Said, TenantId};

/// After so long a request has arrived at its platform or never will, whether or not we hear of it.
const ARRIVAL: TimeDelta = TimeDelta::seconds(10);
/// Whoever was served comes back for more within this, or wants none.
const RETURN: TimeDelta = TimeDelta::seconds(2);
/// What is held back for checks is no more than this part of what is allowed: where onboardings are
/// spread, so that there is always some soon, and where they are not.
const MOST_RESERVED: [u64; 2] = [40, 10];
/// What checks needed is remembered for so long, or for two windows.
const LATELY: TimeDelta = TimeDelta::hours(1);

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

/// Somebody wants some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What the slice will be called; random.
    pub slice: SliceId,
    pub tenant: TenantId,
    pub mode: RunMode,
    /// Less is of no use.
    pub least: u64,
    pub wanted: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SliceId(pub u64);

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// So many units, each to be spent within `life`.
    Leased { units: u64, life: Duration },
    /// None now; its turn is expected then.
    Wait { until: DateTime<Utc> },
}

/// A slice whose every request has been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    pub slice: SliceId,
    pub spent: u64,
    /// When the last request was answered.
    pub at: DateTime<Utc>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Book {
    #[serde(default, skip_serializing_if = "Log::is_empty")]
    log: Log,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    slices: Vec<Slice>,
    #[serde(default)]
    claims: Claims,
    #[serde(default)]
    pace: Pace,
    #[serde(default)]
    said: Statement,
    /// What checks needed at the most, lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checks: Option<Peak>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Slice {
    id: SliceId,
    tenant: TenantId,
    mode: RunMode,
    units: u64,
    /// If nobody settles it.
    #[serde(with = "chrono::serde::ts_microseconds")]
    until: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Peak {
    units: u64,
    #[serde(with = "chrono::serde::ts_microseconds")]
    until: DateTime<Utc>,
}

impl Book {
    /// Leases a slice, or says when to ask again.
    pub fn ask(&mut self, terms: &Terms, ask: &Ask, now: DateTime<Utc>) -> Answer {
        self.forget(terms, now);
        let ask = Ask { least: ask.least.clamp(1, self.allowed_for(terms, ask.mode)), ..*ask };
        let ask =
            Ask { wanted: ask.wanted.clamp(ask.least, most_at_once(terms, ask.least)), ..ask };
        let portion = self.portion(terms, &ask, now);
        self.claims.enter(&ask, self.allowed_for(terms, ask.mode) / 20, now);
        let free = self.free_now(terms, &ask, now);
        let units = self.claims.share(&ask, portion, free, &here(terms, now));
        if units < ask.least || self.said.blocked_until(now).is_some() {
            let until = self.turn(terms, &ask, portion, now);
            self.claims.wait(&ask, until, until + patience(terms));
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

    fn allowed_for(&self, terms: &Terms, mode: RunMode) -> u64 {
        let allowed = self.said.last_allowed().unwrap_or(terms.allowed);
        terms.share_of(mode, allowed).max(1)
    }

    /// What one tenant is served in its turn: as much as lets everybody have a turn in a fortieth
    /// of the window, so that a run is not woken for one request where there could be ten.
    fn portion(&self, terms: &Terms, ask: &Ask, now: DateTime<Utc>) -> u64 {
        let tenants = self.claims.tenants_with(ask.tenant, now) as u64;
        (self.allowed_for(terms, ask.mode) / 40 / tenants).clamp(ask.least, ask.wanted)
    }

    fn in_use(&self) -> u64 {
        self.log.units() + self.slices.iter().map(|slice| slice.units).sum::<u64>()
    }

    /// Now, considering everything but other tenants of the same mode.
    fn free_now(&self, terms: &Terms, ask: &Ask, now: DateTime<Utc>) -> u64 {
        let free = self.free_of_waiting_checks(terms, ask.mode, now);
        if !terms.shared || !ask.mode.is_onboarding() {
            return free;
        }
        let interval = self.interval(terms, now);
        free.min(self.pace.room(interval, tolerance(terms, interval, ask.least), now))
    }

    fn free_of_waiting_checks(&self, terms: &Terms, mode: RunMode, now: DateTime<Utc>) -> u64 {
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
    fn interval(&self, terms: &Terms, now: DateTime<Utc>) -> f64 {
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

    /// Held back for checks: what they needed lately and do not have now.
    fn reserved(&self) -> u64 {
        let Some(peak) = self.checks else { return 0 };
        peak.units.saturating_sub(self.used_by_checks())
    }

    fn used_by_checks(&self) -> u64 {
        let leased = self.slices.iter().filter(|slice| !slice.mode.is_onboarding());
        self.log.units_of_checks() + leased.map(|slice| slice.units).sum::<u64>()
    }

    fn note_checks(&mut self, terms: &Terms, now: DateTime<Utc>) {
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

    /// When there is expected to be enough for all who go first, and for the asker.
    fn turn(&self, terms: &Terms, ask: &Ask, portion: u64, now: DateTime<Utc>) -> DateTime<Utc> {
        let ahead = self.claims.ahead_of(ask, portion, &ANY_TIME);
        let need = portion + ahead;
        let mut at = self.frees(terms, ask.mode, need, now);
        if terms.shared && ask.mode.is_onboarding() {
            let interval = self.interval(terms, now);
            at = at.max(self.pace.has_room_at(
                interval,
                tolerance(terms, interval, ask.least),
                need,
            ));
        }
        let blocked = self.said.blocked_until(now).unwrap_or(now);
        let interval = self.interval(terms, now);
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
    fn releases(&self) -> impl Iterator<Item = (DateTime<Utc>, u64)> {
        let leased = self.slices.iter().map(|slice| (slice.until - ARRIVAL, slice.units));
        self.log.releases().chain(leased)
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

impl Terms {
    fn window(&self) -> TimeDelta {
        TimeDelta::from_std(self.per)
            .unwrap_or(TimeDelta::days(366))
            .max(TimeDelta::milliseconds(1))
    }

    /// When the window ends that this instant is in, if windows are ours to say.
    pub fn turns_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        floor(now, self.window()) + self.window()
    }

    fn share_of(&self, mode: RunMode, allowed: u64) -> u64 {
        match mode {
            RunMode::Check => allowed,
            RunMode::Onboarding => (allowed as f64 * self.onboarding_factor) as u64,
        }
    }

    /// Until when a unit counts that is counted at `at`. Rounded up, so that a book has no more than
    /// a hundred entries whatever the limit.
    fn counts_until(&self, at: DateTime<Utc>) -> DateTime<Utc> {
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

fn micros(length: TimeDelta) -> f64 {
    length.num_microseconds().unwrap_or(i64::MAX) as f64
}

fn floor(at: DateTime<Utc>, grain: TimeDelta) -> DateTime<Utc> {
    let micros = at.timestamp_micros();
    let grain = grain.num_microseconds().unwrap_or(i64::MAX).max(1);
    DateTime::from_timestamp_micros(micros - micros.rem_euclid(grain)).unwrap_or(at)
}

/// How long a slice may be spent: short against the window, since it counts for as much longer.
fn life(terms: &Terms) -> Duration {
    (terms.per / 50).clamp(Duration::from_millis(100), Duration::from_secs(10))
}

/// A twentieth, so that no slice keeps many waiting.
fn most_at_once(terms: &Terms, least: u64) -> u64 {
    (terms.allowed / 20).max(least)
}

/// What onboardings may take at once after a pause, in microseconds: a twentieth of the window's,
/// or a second's.
fn tolerance(terms: &Terms, interval: f64, least: u64) -> f64 {
    let window = micros(terms.window());
    (window / 20.0).max(window.min(1e6)).max(interval * least as f64)
}

/// How long it is known who was served what, once their turn has come.
fn patience(terms: &Terms) -> TimeDelta {
    (terms.window() / 20).clamp(TimeDelta::seconds(5), TimeDelta::seconds(30))
}

/// When whoever counts as being here comes. Who is to come soon is not overtaken by whoever happens
/// to be here; who is late is waited for only as long as what is kept for them is not lost.
fn here(terms: &Terms, now: DateTime<Utc>) -> RangeInclusive<DateTime<Utc>> {
    let late = (terms.window() / 20).min(TimeDelta::seconds(10));
    now - late..=now + terms.window() / 40
}

const ANY_TIME: RangeInclusive<DateTime<Utc>> = DateTime::<Utc>::MIN_UTC..=DateTime::<Utc>::MAX_UTC;

/// Nothing will have changed before.
fn shortest_wait(interval: f64) -> TimeDelta {
    let interval = TimeDelta::microseconds(interval as i64);
    interval.clamp(TimeDelta::milliseconds(10), TimeDelta::seconds(1))
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
