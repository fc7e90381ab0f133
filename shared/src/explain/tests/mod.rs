//! A sentence per test, each from a run that is about exactly one thing.

mod budgets;
mod waits;

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
