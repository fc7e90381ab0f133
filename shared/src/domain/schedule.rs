//! Ticks, how many of them lie between checks, and how many records a kind may take.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// A numbered minute: `floor(now / TICK_SECONDS)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(pub i64);

impl Tick {
    pub fn at(now: DateTime<Utc>, length: Duration) -> Self {
        // A length under a second is refused by the configuration; the divisor is never 0.
        Self(now.timestamp().div_euclid(length.as_secs().max(1) as i64))
    }

    /// When this tick begins.
    pub fn begins(self, length: Duration) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0 * length.as_secs().max(1) as i64, 0).unwrap_or_default()
    }
}

/// How often integrations of a kind are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckSchedule {
    /// Never by a tick: webhooks, or nothing, keep it fresh.
    OnboardingOnly,
    EveryTick,
    /// Every so many ticks, at a phase of its own per integration.
    EveryTicks(u32),
}

impl CheckSchedule {
    /// The ticks between two checks; `None` if ticks never start one.
    pub fn ticks_between(self) -> Option<i64> {
        match self {
            Self::OnboardingOnly => None,
            Self::EveryTick => Some(1),
            Self::EveryTicks(n) => Some(i64::from(n.max(1))),
        }
    }

    /// The first check of an integration connected at `now`: within one interval, at a phase spread
    /// by `seed`, so that integrations connected together are not checked together.
    pub fn first_check(self, now: Tick, seed: u128) -> Option<Tick> {
        let between = self.ticks_between()?;
        Some(Tick(now.0 + 1 + (seed % between as u128) as i64))
    }
}

/// How many records may be taken per window, by all workers and both modes together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordLimit {
    pub records: u64,
    pub per: Duration,
    /// An onboarding may use this share of it, so that checks are not starved.
    pub onboarding_factor: f64,
}

impl RecordLimit {
    pub fn records_for(&self, mode: super::RunMode) -> u64 {
        match mode {
            super::RunMode::Check => self.records,
            super::RunMode::Onboarding => (self.records as f64 * self.onboarding_factor) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::RunMode;
    use super::*;

    #[test]
    fn a_tick_is_the_number_of_its_minute() {
        let now = "2024-05-01T12:00:59Z".parse().unwrap();
        let tick = Tick::at(now, Duration::from_secs(60));
        assert_eq!(
            tick.begins(Duration::from_secs(60)),
            "2024-05-01T12:00:00Z".parse::<DateTime<Utc>>().unwrap()
        );
        assert_eq!(
            Tick::at(now + Duration::from_secs(1), Duration::from_secs(60)),
            Tick(tick.0 + 1)
        );
    }

    #[test]
    fn first_checks_are_spread_over_one_interval() {
        let first = |seed| CheckSchedule::EveryTicks(20).first_check(Tick(100), seed);
        assert_eq!(first(0), Some(Tick(101)));
        assert_eq!(first(19), Some(Tick(120)));
        assert_eq!(first(20), Some(Tick(101)));
        assert_eq!(CheckSchedule::OnboardingOnly.first_check(Tick(100), 7), None);
    }

    #[test]
    fn an_onboarding_gets_its_share_of_a_record_limit() {
        let limit =
            RecordLimit { records: 10_000, per: Duration::from_secs(60), onboarding_factor: 0.7 };
        assert_eq!(limit.records_for(RunMode::Onboarding), 7_000);
        assert_eq!(limit.records_for(RunMode::Check), 10_000);
    }

    proptest! {
        #[test]
        fn a_first_check_is_within_one_interval_whatever_the_seed(
            now in -1_000_000..1_000_000_000_i64, between in 0..1_000_000_u32, seed: u128,
        ) {
            let first = CheckSchedule::EveryTicks(between).first_check(Tick(now), seed).unwrap();
            let wait = first.0 - now;
            prop_assert!((1..=i64::from(between.max(1))).contains(&wait), "in {wait} ticks");
        }

        #[test]
        fn as_many_seeds_as_ticks_are_one_at_each(between in 1..2_000_u32, first: u64) {
            let schedule = CheckSchedule::EveryTicks(between);
            let seeds = (0..u128::from(between)).map(|nth| u128::from(first) + nth);
            let at: BTreeSet<_> = seeds.map(|seed| schedule.first_check(Tick(0), seed)).collect();
            prop_assert_eq!(at.len(), between as usize);
        }

        #[test]
        fn every_instant_is_within_its_tick(seconds in 0..10_000_000_000_i64, length in 1..100_000_u64) {
            let (now, length) = (DateTime::from_timestamp(seconds, 0).unwrap(), Duration::from_secs(length));
            let tick = Tick::at(now, length);
            prop_assert!(tick.begins(length) <= now);
            prop_assert!(now < Tick(tick.0 + 1).begins(length));
        }

        #[test]
        fn an_onboarding_never_gets_more_than_there_is(records in 0..1_000_000_000_u64, factor in 0.0..=1.0) {
            let limit = RecordLimit { records, per: Duration::from_secs(1), onboarding_factor: factor };
            prop_assert!(limit.records_for(RunMode::Onboarding) <= limit.records_for(RunMode::Check));
        }
    }
}
