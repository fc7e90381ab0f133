//! Why a run is moving or is not: one sentence, and the evidence for it.
//!
//! A decision over facts that were fetched before (`store/facts.rs`), so that the API and the CLI
//! say the same, and each sentence has its test. The first answer that applies is the one that
//! counts: an ended run is not waiting, a paused one waits for nobody but its tenant, and so on down
//! to a run that merely waits for a worker.

mod estimate;
mod evidence;
#[cfg(test)]
mod tests;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{CountedBy, DelayReason, IntegrationStatus, RunId, RunState};
use crate::store::{LimitFacts, RunFacts, Store};

pub use evidence::Evidence;

/// Why a run is moving or is not.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Explanation {
    pub run_id: RunId,
    /// For people.
    pub sentence: String,
    /// The same for programs.
    pub reason: Reason,
    /// When it goes on by itself; null if it has ended, is moving, or waits for a person.
    pub goes_on_at: Option<DateTime<Utc>>,
    /// About when it may be done, if that can be told: by what is left to be fetched, and this
    /// tenant's share of what the platform allows.
    pub about_ends_at: Option<DateTime<Utc>>,
    pub evidence: Evidence,
}

/// Everything a run can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It has ended, and nothing is missing.
    Processed,
    /// It has ended with a hole.
    Failed,
    /// Its tenant paused the integration.
    Paused,
    /// The platform refused our credentials.
    NeedsReconnect,
    /// A worker is at it.
    Held,
    /// Its worker stopped without handing it back.
    Abandoned,
    /// It waits for the platform's rate limit.
    RateLimit,
    /// It waits for its share of a limit: on requests, or on the kind's records.
    Quota,
    /// It rests, as the integration asked.
    Sleep,
    /// It could not be begun or closed, and is retried.
    Retry,
    /// Each of its streams waits for its own time.
    StreamsWait,
    /// Its message is about to be sent.
    MessageDue,
    /// Its message was sent, and no worker has taken it.
    MessageSent,
    /// Nobody is there to send its message.
    NoGenerator,
    /// No message about it is planned, which continuing it mends.
    NoMessage,
}

struct Verdict {
    reason: Reason,
    sentence: String,
    goes_on_at: Option<DateTime<Utc>>,
}

pub fn explain(facts: &RunFacts) -> Explanation {
    let verdict = ended(facts)
        .or_else(|| withdrawn(facts))
        .or_else(|| held(facts))
        .or_else(|| delayed(facts))
        .unwrap_or_else(|| waiting_for_a_worker(facts));
    Explanation {
        run_id: facts.run.id,
        sentence: verdict.sentence,
        reason: verdict.reason,
        goes_on_at: verdict.goes_on_at,
        about_ends_at: estimate::about_ends_at(facts),
        evidence: Evidence::of(facts),
    }
}

fn ended(facts: &RunFacts) -> Option<Verdict> {
    let at = time(facts.run.processed_at?);
    if facts.run.state == RunState::Processed {
        let (streams, records) = (facts.streams.processed, facts.streams.records);
        let sentence = format!("It was processed at {at}: {streams} streams, {records} records.");
        return Some(still(Reason::Processed, sentence));
    }
    let error = facts.run.error.as_deref().unwrap_or("for no known reason");
    let first = match facts.integration.status {
        IntegrationStatus::NeedsReconnect => "once the integration is reconnected, ",
        IntegrationStatus::Paused => "once the integration is resumed, ",
        IntegrationStatus::Active => "",
    };
    let sentence = format!(
        "It ended with a hole at {at} ({error}); {first}continuing it steps what is missing."
    );
    Some(still(Reason::Failed, sentence))
}

fn withdrawn(facts: &RunFacts) -> Option<Verdict> {
    let held = facts.lease().filter(|lease| lease.until > facts.now);
    let first = held.map_or(String::new(), |lease| {
        format!(", and {} hands the run back before {}", lease.holder, time(lease.until))
    });
    match facts.integration.status {
        IntegrationStatus::Active => None,
        IntegrationStatus::Paused => {
            let sentence = format!(
                "The integration is paused{first}: nothing is fetched until it is resumed."
            );
            Some(still(Reason::Paused, sentence))
        }
        IntegrationStatus::NeedsReconnect => {
            let why = facts.integration.status_reason.as_deref().unwrap_or("refused");
            let sentence = format!(
                "The integration needs to be reconnected{first}: the platform refused its credentials ({why})."
            );
            Some(still(Reason::NeedsReconnect, sentence))
        }
    }
}

fn held(facts: &RunFacts) -> Option<Verdict> {
    let lease = facts.lease()?;
    let (holder, until) = (lease.holder, time(lease.until));
    if lease.until <= facts.now {
        let then = facts.but_nobody_sends("the next worker that hears of it takes over");
        let sentence = format!(
            "Its worker {holder} stopped without handing it back: the lease ended at {until}, and {then}."
        );
        return Some(verdict(Reason::Abandoned, sentence, facts.run.send_at));
    }
    let doing = match (facts.run.listed_at, &facts.streams) {
        (None, _) => "is looking what there is to fetch".to_owned(),
        (Some(_), streams) if streams.pending + streams.processing == 0 => {
            "is closing it: every stream has ended".to_owned()
        }
        (Some(_), streams) => format!(
            "is working on it: {} streams in flight, {} to go",
            streams.processing, streams.pending
        ),
    };
    let sentence =
        format!("{holder} {doing} (it holds the run until {until}, and keeps extending).");
    Some(still(Reason::Held, sentence))
}

fn delayed(facts: &RunFacts) -> Option<Verdict> {
    let until = facts.run.delayed_until.filter(|until| *until > facts.now)?;
    let at = time(until);
    let (reason, why) = match facts.run.delay_reason? {
        DelayReason::RateLimit => {
            (Reason::RateLimit, "The platform's rate limit was reached".into())
        }
        DelayReason::Quota => (Reason::Quota, over_quota(facts)),
        DelayReason::Sleep => (Reason::Sleep, "The integration asked for a rest".into()),
        // A run that merely waits for its streams sleeps until the first of them is due.
        DelayReason::Retry if facts.streams.next_due_at == Some(until) => {
            (Reason::StreamsWait, every_stream_waits(facts))
        }
        DelayReason::Retry => (Reason::Retry, outside_of_any_stream(facts)),
    };
    let then = facts.but_nobody_sends(&format!("it goes on at {at}"));
    Some(verdict(reason, format!("{why}: {then}."), Some(until)))
}

/// Of several limits it waits for the one whose turn comes first: then some of its streams go on.
fn over_quota(facts: &RunFacts) -> String {
    let waited_for = facts.limits.iter().filter(|limit| limit.turn.is_some());
    let Some(limit) = waited_for.min_by_key(|limit| limit.turn) else {
        let kind = &facts.run.kind;
        return format!("The record limit of `{kind}` is spent");
    };
    let LimitFacts { class, allowed, left, .. } = limit;
    let whose = match limit.counted_by {
        CountedBy::Credential => "of this credential",
        CountedBy::Application => "of all tenants together",
    };
    let per = limit.per.as_secs_f64();
    let others = match limit.tenants.saturating_sub(1) {
        0 => String::new(),
        1 => ", and one other tenant wants some".to_owned(),
        others => format!(", and {others} other tenants want some"),
    };
    format!(
        "It waits for its share of `{class}`: {left} left of the {allowed} in {per} s {whose}{others}"
    )
}

fn every_stream_waits(facts: &RunFacts) -> String {
    let pending = facts.streams.pending;
    let mut why = format!("Each of its {pending} unfinished streams waits for its time");
    if let Some(first) = facts.first_errors.first() {
        let retrying = facts.retrying;
        why += &format!(", {retrying} after a failure ({}: {})", first.name, first.error);
    }
    why
}

fn outside_of_any_stream(facts: &RunFacts) -> String {
    let error = facts.run.error.as_deref().unwrap_or("for no known reason");
    let (attempt, of) = (facts.run.attempts, Store::ATTEMPTS);
    format!("It could not be begun or closed, attempt {attempt} of {of} ({error})")
}

/// It is there to be claimed, by whoever hears of it.
fn waiting_for_a_worker(facts: &RunFacts) -> Verdict {
    let run = &facts.run;
    let Some(due) = run.send_at else {
        let sentence =
            "It waits, and no message about it is planned; continuing it sends one.".to_owned();
        return still(Reason::NoMessage, sentence);
    };
    let sent = match (run.sends, run.sent_at) {
        (0, _) | (_, None) => None,
        (sends, Some(at)) => Some(format!("{} sent, the last at {}", messages(sends), time(at))),
    };
    if due > facts.now {
        let so_far = sent.unwrap_or_else(|| "none was sent yet".to_owned());
        let next = facts.but_nobody_sends(&format!("the next is due at {}", time(due)));
        let sentence = format!("It waits for a worker to take its message: {so_far}, {next}.");
        return verdict(Reason::MessageSent, sentence, None);
    }
    let so_far = sent.map_or(String::new(), |sent| format!(" ({sent})"));
    let due = time(due);
    if facts.scheduler.is_none() {
        let sentence = format!(
            "Its message is due since {due}{so_far}, and nobody sends it: no generator is alive."
        );
        return still(Reason::NoGenerator, sentence);
    }
    let sentence = format!("Its message is due since {due}{so_far}, and is about to be sent.");
    verdict(Reason::MessageDue, sentence, Some(facts.now))
}

fn messages(count: i32) -> String {
    if count == 1 { "1 message was".to_owned() } else { format!("{count} messages were") }
}

impl RunFacts {
    fn but_nobody_sends(&self, then: &str) -> String {
        match self.scheduler {
            Some(_) => then.to_owned(),
            None => format!("{then}, but no generator is alive to send a message"),
        }
    }
}

fn verdict(reason: Reason, sentence: String, goes_on_at: Option<DateTime<Utc>>) -> Verdict {
    Verdict { reason, sentence, goes_on_at }
}

fn still(reason: Reason, sentence: String) -> Verdict {
    verdict(reason, sentence, None)
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
