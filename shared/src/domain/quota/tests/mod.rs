//! What a book answers, one question at a time.

mod play;
mod plays;

use std::time::Duration;

use chrono::TimeDelta;
use uuid::Uuid;

use self::play::START;
use super::reserve::LATELY;
use super::*;
use crate::domain::{RecordLimit, Said};

fn terms(allowed: u64, seconds: u64) -> Terms {
    Terms {
        allowed,
        per: Duration::from_secs(seconds),
        onboarding_factor: 1.0,
        shared: true,
        windows: Windows::Anywhere,
    }
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
