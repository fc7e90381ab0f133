//! The staircase of looks, by hand.

use super::*;
use crate::integrations::slack::looks::{Look, Looks, OVERLAP, Reach};

const REACHES: &[Reach] = &[
    Reach { back: TimeDelta::days(1), every: TimeDelta::zero() },
    Reach { back: TimeDelta::days(7), every: TimeDelta::hours(6) },
];

fn at(text: &str) -> DateTime<Utc> {
    format!("2024-{text}:00Z").parse().expect("an instant")
}

/// Looks as checks would have them after an onboarding, at these times.
fn after(times: &[&str]) -> Looks {
    times.iter().fold(Looks::default(), |looks, time| {
        let from = looks.begin(REACHES, at(time)).unwrap_or(DateTime::UNIX_EPOCH);
        looks.and(Look { at: at(time), from }, REACHES)
    })
}

#[test]
fn a_channel_that_was_never_looked_at_is_read_from_its_beginning() {
    assert_eq!(Looks::default().begin(REACHES, at("05-01T12:00")), None);
    assert_eq!(Looks::default().known_until(Ts::at(at("05-01T12:00"))), None);
}

#[test]
fn a_check_goes_back_a_day_and_each_six_hours_a_week() {
    let looks = after(&["05-01T12:00", "05-01T12:20"]);
    assert_eq!(looks.begin(REACHES, at("05-01T12:40")), Some(at("04-30T12:20")));
    assert_eq!(looks.begin(REACHES, at("05-01T18:00")), Some(at("04-24T12:00")));
}

#[test]
fn what_was_written_earlier_was_last_looked_at_by_a_longer_look() {
    let looks = after(&["05-01T12:00", "05-01T18:00", "05-01T18:20"]);
    let known = |written| looks.known_until(Ts::at(at(written)));
    assert_eq!(known("05-01T01:00"), Some(Ts::at(at("05-01T18:20") - OVERLAP)));
    assert_eq!(known("04-28T01:00"), Some(Ts::at(at("05-01T18:00") - OVERLAP)));
}

#[test]
fn after_a_pause_a_check_begins_where_it_would_have_begun() {
    let looks = after(&["05-01T12:00", "05-01T18:20"]);
    assert_eq!(looks.begin(REACHES, at("07-01T12:00")), Some(at("04-24T18:20")));
}

#[test]
fn however_many_checks_there_were_few_looks_are_kept() {
    let mut looks = after(&["05-01T00:00"]);
    for minutes in (20..20_000).step_by(20) {
        let now = at("05-01T00:00") + TimeDelta::minutes(minutes);
        let from = looks.begin(REACHES, now).expect("a beginning");
        assert!(from <= now - TimeDelta::days(1));
        looks = looks.and(Look { at: now, from }, REACHES);
        let kept = serde_json::to_value(&looks).expect("JSON");
        assert!(kept.as_array().expect("looks").len() <= REACHES.len(), "{kept}");
    }
}

#[test]
fn with_a_further_reach_than_before_nothing_is_taken_for_known() {
    const FURTHER: &[Reach] = &[Reach { back: TimeDelta::days(30), every: TimeDelta::days(1) }];
    let looks = after(&["05-01T12:00", "05-09T12:00", "05-20T12:00"]);
    let from = looks.begin(FURTHER, at("05-20T12:20")).expect("a beginning");
    assert!(from <= at("04-20T12:20"), "{from}");
    assert_eq!(looks.known_until(Ts::at(from)), None);
}

#[test]
fn a_timestamp_is_read_only_as_slack_writes_it() {
    let ts: Ts = "1700000000.000100".parse().expect("a timestamp");
    assert_eq!(
        (ts.to_string(), ts.second().timestamp()),
        ("1700000000.000100".into(), 1_700_000_000)
    );
    for other in [
        "",
        "1700000000",
        "1700000000.1",
        "170000000.000100",
        "1700000000.00010x",
        "-700000000.000100",
    ] {
        assert!(other.parse::<Ts>().is_err(), "{other}");
    }
}
