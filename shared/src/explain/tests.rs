//! A sentence per test, each from a run that is about exactly one thing.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::domain::{Integration, IntegrationId, Run, RunMode, StreamId, StreamState, TenantId};
use crate::store::{LimitFacts, QuotaLeft, SchedulerHolder, StreamCounts, StreamError};

fn at(clock: &str) -> DateTime<Utc> {
    format!("2024-05-01T{clock}Z").parse().expect("a time")
}

/// Noon: a check that was made, sent, and not taken up.
fn waiting() -> RunFacts {
    let (tenant_id, integration_id) = (TenantId::new(), IntegrationId::new());
    RunFacts {
        now: at("12:00:00"),
        run: Run {
            id: RunId::new(),
            tenant_id,
            integration_id,
            kind: "devto".into(),
            mode: RunMode::Check,
            requested_by: "tick".into(),
            state: RunState::Pending,
            delayed_until: None,
            delay_reason: None,
            lease_holder: None,
            lease_until: None,
            send_at: Some(at("12:01:00")),
            sent_at: Some(at("11:59:00")),
            sends: 1,
            listed_at: None,
            attempts: 0,
            requests: 0,
            created_at: at("11:59:00"),
            started_at: None,
            processed_at: None,
            error: None,
        },
        integration: Integration {
            id: integration_id,
            tenant_id,
            kind: "devto".into(),
            settings: json!({}),
            units: vec![],
            credential_id: None,
            status: IntegrationStatus::Active,
            status_reason: None,
            next_check_tick: None,
            onboarding_wanted: false,
            onboarded_at: None,
            created_at: at("09:00:00"),
            updated_at: at("09:00:00"),
        },
        streams: StreamCounts::default(),
        retrying: 0,
        first_errors: vec![],
        quota: None,
        record_limit: None,
        limits: vec![],
        scheduler: Some(SchedulerHolder {
            holder: "generator-1".into(),
            held_until: at("12:00:10"),
        }),
    }
}

fn held() -> RunFacts {
    let mut facts = waiting();
    facts.run.state = RunState::Processing;
    facts.run.lease_holder = Some("worker-7".into());
    facts.run.lease_until = Some(at("12:00:30"));
    facts.run.send_at = Some(at("12:00:30"));
    facts.run.listed_at = Some(at("11:59:30"));
    facts.streams = StreamCounts { pending: 40, processing: 8, processed: 2, ..facts.streams };
    facts
}

fn delayed(reason: DelayReason) -> RunFacts {
    let mut facts = waiting();
    facts.run.state = RunState::Delayed;
    facts.run.delayed_until = Some(at("13:00:00"));
    facts.run.delay_reason = Some(reason);
    facts.run.send_at = Some(at("13:00:00"));
    facts.streams = StreamCounts { pending: 3, next_due_at: Some(at("11:00:00")), ..facts.streams };
    facts
}

fn failed() -> RunFacts {
    let mut facts = waiting();
    facts.run.state = RunState::Error;
    facts.run.processed_at = Some(at("11:59:59"));
    facts.run.send_at = None;
    facts.run.error = Some("1 of 3 streams failed; the first: comments: answered 500".into());
    facts
}

fn says(facts: &RunFacts, reason: Reason, sentence: &str) {
    let explanation = explain(facts);
    assert_eq!((explanation.reason, &*explanation.sentence), (reason, sentence));
}

#[test]
fn a_processed_run_says_what_it_brought() {
    let mut facts = waiting();
    facts.run.state = RunState::Processed;
    facts.run.processed_at = Some(at("11:59:59"));
    facts.streams = StreamCounts { processed: 3, records: 240, ..facts.streams };
    let sentence = "It was processed at 2024-05-01T11:59:59Z: 3 streams, 240 records.";
    says(&facts, Reason::Processed, sentence);
    assert_eq!(explain(&facts).goes_on_at, None);
}

#[test]
fn a_failed_run_says_why_and_what_helps() {
    says(
        &failed(),
        Reason::Failed,
        "It ended with a hole at 2024-05-01T11:59:59Z (1 of 3 streams failed; the first: comments: answered 500); \
         continuing it steps what is missing.",
    );
}

#[test]
fn a_failed_run_of_an_integration_that_must_be_reconnected_says_so_first() {
    let mut facts = failed();
    facts.integration.status = IntegrationStatus::NeedsReconnect;
    let sentence = explain(&facts).sentence;
    assert!(
        sentence
            .ends_with("once the integration is reconnected, continuing it steps what is missing."),
        "{sentence}"
    );
}

#[test]
fn a_paused_integration_is_waited_for() {
    let mut facts = delayed(DelayReason::RateLimit);
    facts.integration.status = IntegrationStatus::Paused;
    says(
        &facts,
        Reason::Paused,
        "The integration is paused: nothing is fetched until it is resumed.",
    );
    assert_eq!(explain(&facts).goes_on_at, None);
}

#[test]
fn a_run_that_is_held_while_its_integration_is_paused_is_handed_back() {
    let mut facts = held();
    facts.integration.status = IntegrationStatus::Paused;
    says(
        &facts,
        Reason::Paused,
        "The integration is paused, and worker-7 hands the run back before 2024-05-01T12:00:30Z: \
         nothing is fetched until it is resumed.",
    );
}

#[test]
fn an_integration_that_must_be_reconnected_says_why() {
    let mut facts = waiting();
    facts.integration.status = IntegrationStatus::NeedsReconnect;
    facts.integration.status_reason = Some("GET /api/me: answered 401".into());
    says(
        &facts,
        Reason::NeedsReconnect,
        "The integration needs to be reconnected: the platform refused its credentials \
         (GET /api/me: answered 401).",
    );
}

#[test]
fn a_held_run_says_who_is_at_it_and_how_far() {
    says(
        &held(),
        Reason::Held,
        "worker-7 is working on it: 8 streams in flight, 40 to go \
         (it holds the run until 2024-05-01T12:00:30Z, and keeps extending).",
    );
}

#[test]
fn a_run_that_is_being_begun_or_closed_says_so() {
    let mut facts = held();
    facts.streams = StreamCounts { processed: 50, ..StreamCounts::default() };
    assert!(explain(&facts).sentence.starts_with("worker-7 is closing it: every stream has ended"));
    facts.run.listed_at = None;
    facts.streams = StreamCounts::default();
    assert!(explain(&facts).sentence.starts_with("worker-7 is looking what there is to fetch"));
}

#[test]
fn an_abandoned_run_is_taken_over() {
    let mut facts = held();
    facts.now = at("12:00:31");
    says(
        &facts,
        Reason::Abandoned,
        "Its worker worker-7 stopped without handing it back: the lease ended at 2024-05-01T12:00:30Z, \
         and the next worker that hears of it takes over.",
    );
}

#[test]
fn every_delay_says_what_it_waits_for() {
    let goes_on = "it goes on at 2024-05-01T13:00:00Z.";
    let reached = format!("The platform's rate limit was reached: {goes_on}");
    says(&delayed(DelayReason::RateLimit), Reason::RateLimit, &reached);
    let spent = format!("The record limit of `devto` is spent: {goes_on}");
    says(&delayed(DelayReason::Quota), Reason::Quota, &spent);
    let rest = format!("The integration asked for a rest: {goes_on}");
    says(&delayed(DelayReason::Sleep), Reason::Sleep, &rest);
    let explanation = explain(&delayed(DelayReason::Sleep));
    assert_eq!(explanation.goes_on_at, Some(at("13:00:00")));
}

#[test]
fn a_run_that_could_not_be_begun_says_the_error_and_the_attempt() {
    let mut facts = delayed(DelayReason::Retry);
    facts.run.attempts = 2;
    facts.run.error = Some("listing articles: answered 500".into());
    says(
        &facts,
        Reason::Retry,
        "It could not be begun or closed, attempt 2 of 5 (listing articles: answered 500): \
         it goes on at 2024-05-01T13:00:00Z.",
    );
}

#[test]
fn a_run_whose_streams_all_wait_says_how_many_and_the_first_error() {
    let mut facts = delayed(DelayReason::Retry);
    facts.streams.next_due_at = Some(at("13:00:00"));
    facts.retrying = 2;
    facts.first_errors = vec![StreamError {
        stream: StreamId::new(),
        name: "comments".into(),
        state: StreamState::Pending,
        attempts: 1,
        due_at: at("13:00:00"),
        error: "answered 502".into(),
    }];
    says(
        &facts,
        Reason::StreamsWait,
        "Each of its 3 unfinished streams waits for its time, 2 after a failure \
         (comments: answered 502): it goes on at 2024-05-01T13:00:00Z.",
    );
    assert_eq!(explain(&facts).evidence.first_errors[0].retried_at, Some(at("13:00:00")));
}

#[test]
fn a_delay_that_is_over_is_a_wait_for_a_worker() {
    let mut facts = delayed(DelayReason::RateLimit);
    facts.now = at("13:00:00");
    facts.run.sends = 0;
    says(
        &facts,
        Reason::MessageDue,
        "Its message is due since 2024-05-01T13:00:00Z, and is about to be sent.",
    );
}

#[test]
fn a_message_that_nobody_has_taken_says_how_many_were_sent() {
    says(
        &waiting(),
        Reason::MessageSent,
        "It waits for a worker to take its message: 1 message was sent, the last at 2024-05-01T11:59:00Z, \
         the next is due at 2024-05-01T12:01:00Z.",
    );
}

#[test]
fn a_run_without_a_message_can_be_continued() {
    let mut facts = waiting();
    facts.run.send_at = None;
    says(
        &facts,
        Reason::NoMessage,
        "It waits, and no message about it is planned; continuing it sends one.",
    );
}

#[test]
fn without_a_generator_a_due_message_stays_unsent() {
    let mut facts = waiting();
    facts.now = at("12:02:00");
    facts.run.sends = 3;
    facts.scheduler = None;
    says(
        &facts,
        Reason::NoGenerator,
        "Its message is due since 2024-05-01T12:01:00Z (3 messages were sent, the last at 2024-05-01T11:59:00Z), \
         and nobody sends it: no generator is alive.",
    );
}

#[test]
fn without_a_generator_a_delayed_run_is_not_woken() {
    let mut facts = delayed(DelayReason::Quota);
    facts.scheduler = None;
    says(
        &facts,
        Reason::Quota,
        "The record limit of `devto` is spent: it goes on at 2024-05-01T13:00:00Z, \
         but no generator is alive to send a message.",
    );
}

#[test]
fn the_evidence_holds_what_is_left_of_the_quota() {
    let mut facts = held();
    facts.quota = Some(QuotaLeft { records: 70, resets_at: at("13:00:00"), now: at("12:00:00") });
    let evidence = serde_json::to_value(explain(&facts).evidence).expect("JSON");
    assert_eq!(evidence["quota"], json!({"records_left": 70, "resets_at": "2024-05-01T13:00:00Z"}));
    assert_eq!(evidence["lease"], json!({"holder": "worker-7", "until": "2024-05-01T12:00:30Z"}));
}

fn lists(left: u64, tenants: usize) -> LimitFacts {
    LimitFacts {
        class: "conversations.history".into(),
        counted_by: CountedBy::Application,
        allowed: 50,
        per: Duration::from_secs(60),
        left,
        blocked_until: None,
        tenants,
        turn: Some(at("13:00:00")),
    }
}

#[test]
fn a_run_that_waits_for_its_share_says_of_which_limit_and_who_else_wants_some() {
    let mut facts = delayed(DelayReason::Quota);
    let waits = "It waits for its share of `conversations.history`: 0 left of the 50 in 60 s";
    let goes_on = "it goes on at 2024-05-01T13:00:00Z.";
    facts.limits = vec![lists(0, 5)];
    let all = format!("{waits} of all tenants together, and 4 other tenants want some: {goes_on}");
    says(&facts, Reason::Quota, &all);
    facts.limits = vec![LimitFacts { counted_by: CountedBy::Credential, ..lists(0, 1) }];
    says(&facts, Reason::Quota, &format!("{waits} of this credential: {goes_on}"));
}

#[test]
fn an_end_is_estimated_by_what_is_left_and_the_share_of_the_budget() {
    let mut facts = delayed(DelayReason::Quota);
    facts.limits = vec![lists(0, 2)];
    facts.streams.processed = 10;
    facts.streams.requests = 20;
    facts.streams.pending = 125;
    // 250 requests at 25 a minute, from when it goes on.
    assert_eq!(explain(&facts).about_ends_at, Some(at("13:10:00")));
}

#[test]
fn no_end_is_estimated_where_nothing_is_known() {
    let known = |change: fn(&mut RunFacts)| {
        let mut facts = held();
        facts.limits = vec![lists(3, 2)];
        facts.streams.requests = 20;
        change(&mut facts);
        explain(&facts).about_ends_at.is_some()
    };
    assert!(known(|_| {}));
    assert!(!known(|facts| facts.limits.clear()), "nothing is counted");
    assert!(!known(|facts| facts.streams.processed = 0), "nothing was fetched yet");
    assert!(!known(|facts| facts.run.state = RunState::Processed), "it is done");
}
