//! Lives of a book: tenants come, want, wait, die.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::claims::Claims;
use super::play::{Actor, Play, START};
use super::*;

fn onboarding(tenant: u128, backlog: u64) -> Actor {
    Actor::with(tenant, RunMode::Onboarding, backlog)
}

fn check(tenant: u128, backlog: u64) -> Actor {
    Actor::with(tenant, RunMode::Check, backlog)
}

#[test]
fn while_work_remains_the_budget_is_used() {
    for (allowed, per, shared, tenants, backlog) in [
        (600, 60, true, 1, 3_000),
        (600, 60, true, 50, 100),
        (600, 60, false, 4, 900),
        (15, 900, true, 50, 2),
        (5_000, 3_600, true, 50, 300),
        (1, 60, true, 3, 7),
    ] {
        let actors = (0..tenants).map(|tenant| onboarding(tenant, backlog)).collect();
        let mut play = Play::of(Terms { shared, ..terms(allowed, per) }, 7, actors);
        play.play_out();
        // What was allowed until the last but one window began to end.
        let windows = (play.now - START).as_seconds_f64() / per as f64;
        let used = play.counted.len() as f64 / (windows * allowed as f64);
        assert!(play.most_in_a_window() <= allowed as usize);
        assert!(used >= 0.95, "{used:.3} of {allowed} in {per} s by {tenants} tenants");
    }
}

#[test]
fn a_budget_is_asked_for_by_the_slice_and_not_by_the_request() {
    let mut play = Play::of(terms(6_000, 60), 7, vec![onboarding(1, 20_000)]);
    play.actors[0].concurrency = 64;
    play.play_out();
    assert!(play.asked < 20_000 / 5, "{} for 20 000", play.asked);
}

#[test]
fn no_small_tenant_waits_behind_a_big_one_for_more_than_twice_as_long_as_alone() {
    for (seed, allowed, per) in [(1, 600, 60), (2, 300, 10), (3, 5_000, 3_600)] {
        let small = |tenant: u128| {
            let begins = Duration::from_secs(per * tenant as u64 / 3);
            onboarding(tenant, allowed / 10).from(begins)
        };
        let alone = |tenant| {
            let mut play = Play::of(terms(allowed, per), seed, vec![small(tenant)]);
            play.play_out();
            play.actors[0].took()
        };
        let big = onboarding(0, allowed * 30);
        let actors = [big].into_iter().chain((1..10).map(small)).collect();
        let mut play = Play::of(terms(allowed, per), seed, actors);
        play.until(START + TimeDelta::seconds(per as i64 * 20));
        for (actor, tenant) in play.actors[1..].iter().zip(1..) {
            let (took, alone) = (actor.took(), alone(tenant));
            // Alone it finds what nobody took before, a twentieth of the window's; and a turn may
            // have been missed by a moment.
            let (burst, round) =
                (terms(allowed, per).window() / 20, terms(allowed, per).window() / 40);
            assert!(
                took <= (alone + burst) * 2 + round,
                "{tenant}: {took} against {alone} alone, seed {seed}"
            );
        }
    }
}

/// Forty-nine small tenants who come when they like, before and beside a big one; a seed each.
#[test]
fn in_a_crowd_small_tenants_take_twice_as_long_as_at_the_pace_of_the_limit() {
    let crowd = |seed, big: Option<Actor>| {
        let mut rng = StdRng::seed_from_u64(seed);
        let small = |tenant| {
            let begins = Duration::from_secs_f64(rng.random_range(10.0..150.0));
            let small = if tenant % 7 == 0 { check(tenant, 6) } else { onboarding(tenant, 6) };
            small.from(begins).sending(1)
        };
        let actors = (1..50).map(small).chain(big).collect();
        let mut play = Play::of(terms(300, 60), seed, actors);
        play.until(START + seconds(300));
        play
    };
    for seed in 1..=8 {
        let alone = crowd(seed, None);
        let big = onboarding(0, 100_000).sending(96);
        let mut beside = crowd(seed, Some(big));
        assert!(beside.most_in_a_window() <= 300);
        let used = beside.counted_between(START, START + seconds(150)) as f64 / 750.0;
        assert!(used >= 0.95, "{used:.3} of the budget, seed {seed}");
        for (alone, beside) in alone.actors.iter().zip(&beside.actors) {
            // Alone it finds what nobody took before, up to a twentieth of the window's: that much
            // takes three seconds at the pace of the limit. A turn is a second and a half, and who
            // sleeps until it comes up to as much too late.
            let (free, turn) = (seconds(3), TimeDelta::milliseconds(1_500));
            let (took, alone) = (beside.took(), alone.took());
            assert!(took <= (alone + free) * 2 + turn * 2, "{took} against {alone}, seed {seed}");
        }
    }
}

#[test]
fn what_checks_take_at_once_does_not_put_off_onboardings_for_long() {
    let small = |tenant, begins| onboarding(tenant, 500).from(Duration::from_secs(begins));
    let checks = check(1, 500).from(Duration::from_secs(3_240));
    let big = onboarding(0, 100_000).sending(96);
    let actors = vec![big, checks, small(2, 828), small(3, 5_400), small(4, 5_724)];
    let mut play = Play::of(terms(5_000, 3_600), 5, actors);
    play.until(START + seconds(4 * 3_600));
    for quarter in 0..16 {
        let begins = START + seconds(900 * quarter);
        let counted = play.counted_between(begins, begins + seconds(900));
        assert!(counted >= 1_000, "{counted} of 1250 in quarter {quarter}");
    }
}

#[test]
fn tenants_with_the_same_to_do_are_done_at_the_same_time() {
    let actors = (0..20).map(|tenant| onboarding(tenant, 100)).collect();
    let mut play = Play::of(terms(600, 60), 3, actors);
    play.play_out();
    let took = || play.actors.iter().map(Actor::took);
    let (first, last) = (took().min().unwrap(), took().max().unwrap());
    assert!(last - first <= last / 10, "from {first} to {last}");
}

#[test]
fn checks_are_not_starved_by_onboardings() {
    let onboardings = (0..20).map(|tenant| onboarding(tenant, 1_000));
    let checks = (0..20).map(|n| check(100 + n, 5).from(Duration::from_secs(20 + 13 * n as u64)));
    let mut play = Play::of(terms(600, 60), 5, onboardings.chain(checks).collect());
    play.until(START + seconds(400));
    for check in &play.actors[20..] {
        assert!(check.longest_wait <= seconds(3), "waited {}", check.longest_wait);
    }
    assert!(play.most_in_a_window() <= 600);
    let used = play.counted_between(START, START + seconds(300)) as f64 / 3_000.0;
    assert!(used >= 0.95, "{used:.3}: what is held back for checks is not wasted");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever tenants do, and whoever dies in the middle of it.
    #[test]
    fn no_interval_as_long_as_a_window_has_more_than_is_allowed(
        seed: u64,
        allowed in 1_u64..80,
        per in prop_oneof![Just(1_u64), 5..20_u64, Just(60), Just(900)],
        shared: bool,
        backlogs in prop::collection::vec((1_u64..60, any::<bool>(), 0_u64..40), 1..8),
        dies in prop::option::of(0_u64..60),
        latency in 1_u64..3_000,
    ) {
        let mode = |check| if check { RunMode::Check } else { RunMode::Onboarding };
        let actors = backlogs.iter().zip(1..).map(|((backlog, is_check, begins), tenant)| {
            Actor::with(tenant, mode(*is_check), *backlog).from(Duration::from_secs(*begins))
        });
        let mut play = Play::of(Terms { shared, ..terms(allowed, per) }, seed, actors.collect());
        play.latency = Duration::from_millis(latency);
        if let Some(after) = dies {
            play.dies(0, Duration::from_secs(after));
        }
        play.play_out();
        prop_assert!(play.most_in_a_window() <= allowed as usize, "{}", play.most_in_a_window());
        let unsent: u64 = play.actors.iter().skip(1).map(|actor| actor.backlog).sum();
        prop_assert_eq!(unsent, 0, "nobody waits for ever");
    }

    #[test]
    fn a_unit_counts_for_a_window_and_a_hundredth_at_the_most(
        micros in 0_i64..4_000_000_000_000_000, per in 1_u64..10_000_000,
    ) {
        let terms = terms(1, 1);
        let terms = Terms { per: Duration::from_millis(per), ..terms };
        let at = DateTime::from_timestamp_micros(micros).unwrap();
        let counts = terms.counts_until(at) - at;
        prop_assert!(counts >= terms.window());
        prop_assert!(counts <= terms.window() + (terms.window() / 100).max(TimeDelta::milliseconds(1)));
    }

    #[test]
    fn windows_in_turn_have_no_gaps_and_every_instant_is_in_one(
        seconds in 0..10_000_000_000_i64, per in 1_u64..100_000_000,
    ) {
        let terms = Terms { windows: Windows::InTurn, ..terms(1, per) };
        let now = DateTime::from_timestamp(seconds, 999_999_999).unwrap();
        let end = terms.counts_until(now);
        prop_assert!(now < end && end - now <= terms.window());
        prop_assert_eq!(end.timestamp().rem_euclid(per as i64), 0);
        prop_assert_eq!(terms.counts_until(end), end + terms.window());
    }

    /// Water finds its level: what is leased is all there is, and nobody who got less than they
    /// wanted got less than another.
    #[test]
    fn what_is_free_is_shared_evenly_among_those_who_are_here(
        wanted in prop::collection::vec(1_u64..40, 1..9), free in 1_u64..200,
    ) {
        let mut claims = Claims::default();
        let asks: Vec<_> =
            wanted.iter().zip(1..).map(|(wanted, tenant)| ask(tenant, RunMode::Check, *wanted)).collect();
        asks.iter().for_each(|ask| claims.enter(ask, 0, START));
        let here = START..=START;
        let got: Vec<_> = asks.iter().map(|ask| claims.share(ask, 0, free, &here)).collect();
        prop_assert!(got.iter().sum::<u64>() <= free);
        for (one, wanted) in got.iter().zip(&wanted) {
            prop_assert!(one == wanted || got.iter().all(|other| other <= one));
        }
        let rest = free - got.iter().sum::<u64>();
        prop_assert!(got == wanted || rest < wanted.len() as u64, "{rest} of {free} left over");
    }
}
