use std::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;

use super::play::{Actor, Play, START};
use super::*;

fn terms(allowed: u64, seconds: u64) -> Terms {
    Terms {
        allowed,
        per: Duration::from_secs(seconds),
        onboarding_factor: 1.0,
        shared: true,
        windows: Windows::Anywhere,
    }
}

fn onboarding(tenant: u128, backlog: u64) -> Actor {
    Actor::with(tenant, RunMode::Onboarding, backlog)
}

fn check(tenant: u128, backlog: u64) -> Actor {
    Actor::with(tenant, RunMode::Check, backlog)
}

fn ask(tenant: u128, mode: RunMode, wanted: u64) -> Ask {
    let tenant = TenantId(Uuid::from_u128(tenant));
    Ask { slice: SliceId(u64::from(rand::random::<u32>())), tenant, mode, least: 1, wanted }
}

fn seconds(seconds: i64) -> TimeDelta {
    TimeDelta::seconds(seconds)
}

fn leased(answer: Answer) -> u64 {
    match answer {
        Answer::Leased { units, .. } => units,
        Answer::Wait { .. } => 0,
    }
}

fn turn(answer: Answer) -> DateTime<Utc> {
    match answer {
        Answer::Wait { until } => until,
        Answer::Leased { units, .. } => panic!("leased {units}"),
    }
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

#[test]
fn what_checks_needed_lately_is_kept_for_them_and_nothing_where_there_are_none() {
    let terms = Terms { shared: false, ..terms(100, 60) };
    let take_all = |book: &mut Book, now| {
        let mut taken = 0;
        while let Answer::Leased { units, .. } =
            book.ask(&terms, &ask(1, RunMode::Onboarding, 100), now)
        {
            taken += units;
        }
        taken
    };
    assert_eq!(take_all(&mut Book::default(), START), 100, "there are no checks");

    let mut book = Book::default();
    let asked = ask(2, RunMode::Check, 4);
    assert_eq!(leased(book.ask(&terms, &asked, START)), 4);
    let settled = Settled { slice: asked.slice, spent: 4, at: START };
    book.settle(&terms, &settled, START);
    let later = START + seconds(120);
    assert_eq!(take_all(&mut book, later), 96, "four are kept");
    assert_eq!(leased(book.ask(&terms, &ask(2, RunMode::Check, 4), later)), 4);
    let much_later = later + LATELY + seconds(120);
    assert_eq!(take_all(&mut book, much_later), 100, "they have not been seen for long");
}

#[test]
fn onboardings_leave_what_a_check_waits_for() {
    let terms = Terms { shared: false, ..terms(10, 60) };
    let mut book = Book::default();
    while let Answer::Leased { .. } = book.ask(&terms, &ask(1, RunMode::Onboarding, 10), START) {}
    let waits = turn(book.ask(&terms, &ask(2, RunMode::Check, 1), START));
    let late = turn(book.ask(&terms, &ask(1, RunMode::Onboarding, 1), START));
    assert!(late >= waits, "the check first");
}

#[test]
fn an_onboarding_gets_its_share_and_a_check_the_rest() {
    let limit = RecordLimit { records: 100, per: Duration::from_secs(60), onboarding_factor: 0.3 };
    let terms = Terms::from(&limit);
    let mut book = Book::default();
    book.spend(&terms, RunMode::Onboarding, 30, START);
    assert_eq!(book.left(&terms, RunMode::Onboarding, START), 0);
    assert_eq!(book.left(&terms, RunMode::Check, START), 70);
    let next = terms.turns_at(START);
    assert_eq!(book.left(&terms, RunMode::Onboarding, next), 30, "a window later");
}

#[test]
fn a_slice_of_a_dead_worker_counts_until_its_requests_could_not_any_more() {
    let terms = Terms { shared: false, ..terms(5, 60) };
    let mut book = Book::default();
    while let Answer::Leased { .. } = book.ask(&terms, &ask(1, RunMode::Check, 5), START) {}
    assert_eq!(book.left(&terms, RunMode::Check, START + seconds(69)), 0);
    assert_eq!(book.left(&terms, RunMode::Check, START + seconds(73)), 5);
}

#[test]
fn a_slice_that_is_settled_after_it_was_given_up_changes_nothing() {
    let terms = terms(5, 60);
    let mut book = Book::default();
    let asked = ask(1, RunMode::Check, 5);
    book.ask(&terms, &asked, START);
    let much_later = START + seconds(3_600);
    book.left(&terms, RunMode::Check, much_later);
    book.ask(&terms, &ask(2, RunMode::Check, 1), much_later);
    let before = book.clone();
    book.settle(&terms, &Settled { slice: asked.slice, spent: 1, at: START }, much_later);
    assert_eq!(book, before);
}

#[test]
fn what_was_not_spent_is_free_at_once() {
    let terms = Terms { shared: false, ..terms(100, 60) };
    let mut book = Book::default();
    let asked = ask(1, RunMode::Check, 5);
    assert_eq!(leased(book.ask(&terms, &asked, START)), 5);
    assert_eq!(book.left(&terms, RunMode::Check, START), 95);
    book.settle(&terms, &Settled { slice: asked.slice, spent: 1, at: START }, START);
    assert_eq!(book.left(&terms, RunMode::Check, START), 99);
}

mod what_the_platform_says {
    use super::*;

    fn said(allowed: u32, remaining: u32, resets_in: u64) -> Said {
        Said {
            allowed: Some(allowed),
            remaining: Some(remaining),
            resets_in: Some(Duration::from_secs(resets_in)),
            refused_for: None,
        }
    }

    #[test]
    fn a_smaller_allowance_is_adopted_and_so_is_a_larger_one() {
        for (allowed, left) in [(40, 39), (400, 399)] {
            let mut book = Book::default();
            book.heed(&terms(100, 60), &said(allowed, left, 30), START);
            assert_eq!(book.left(&terms(100, 60), RunMode::Check, START), u64::from(left));
            let after = START + seconds(30);
            assert_eq!(book.left(&terms(100, 60), RunMode::Check, after), u64::from(allowed));
        }
    }

    #[test]
    fn what_others_used_is_not_ours_until_the_reset() {
        let terms = terms(100, 60);
        let mut book = Book::default();
        book.heed(&terms, &said(100, 10, 20), START);
        assert_eq!(book.left(&terms, RunMode::Check, START), 10);
        let asked = ask(1, RunMode::Check, 5);
        book.ask(&terms, &asked, START);
        assert_eq!(book.left(&terms, RunMode::Check, START), 5);
        assert_eq!(book.left(&terms, RunMode::Check, START + seconds(20)), 95);
    }

    #[test]
    fn slices_that_are_out_are_part_of_what_it_says_is_left() {
        let terms = terms(100, 60);
        let mut book = Book::default();
        book.ask(&terms, &ask(1, RunMode::Check, 5), START);
        book.heed(&terms, &said(100, 8, 20), START);
        assert_eq!(book.left(&terms, RunMode::Check, START), 3);
    }

    #[test]
    fn after_a_refusal_nobody_asks_until_it_is_over() {
        let terms = terms(100, 60);
        let mut book = Book::default();
        let refused = Said { refused_for: Some(Duration::from_secs(45)), ..Said::default() };
        book.heed(&terms, &refused, START);
        for mode in [RunMode::Check, RunMode::Onboarding] {
            assert_eq!(turn(book.ask(&terms, &ask(1, mode, 1), START)), START + seconds(45));
            assert_eq!(book.left(&terms, mode, START), 0);
        }
        assert_eq!(leased(book.ask(&terms, &ask(1, RunMode::Check, 1), START + seconds(45))), 1);
    }
}

#[test]
fn a_request_that_costs_more_than_a_window_allows_waits_for_a_whole_one() {
    let terms = Terms { shared: false, ..terms(10, 60) };
    let mut book = Book::default();
    let dear = Ask { least: 50, ..ask(1, RunMode::Check, 50) };
    assert_eq!(leased(book.ask(&terms, &dear, START)), 10);
    assert!(turn(book.ask(&terms, &dear, START)) > START + seconds(60));
}

#[test]
fn a_book_is_over_when_nothing_in_it_counts() {
    let terms = Terms { shared: false, ..terms(10, 60) };
    let mut book = Book::default();
    let asked = ask(1, RunMode::Onboarding, 3);
    book.ask(&terms, &asked, START);
    book.settle(&terms, &Settled { slice: asked.slice, spent: 3, at: START }, START);
    assert_eq!(book.over_at(START), START + seconds(60));
}
