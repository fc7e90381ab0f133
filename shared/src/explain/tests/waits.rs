//! What a run that is due, or will be, waits for.

use super::*;

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
