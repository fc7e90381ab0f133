//! What one look at a run shows, in numbers and in words.

use anyhow::Context;
use chrono::{DateTime, Utc};
use shared::domain::{RunId, RunState};
use shared::explain::{Explanation, Reason, explain};
use shared::store::{RunFacts, Store};

use crate::moment::relative;

/// One look at a run.
pub(super) struct Progress {
    facts: RunFacts,
    explanation: Explanation,
}

/// What makes a new line when it changes.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Seen {
    state: RunState,
    reason: Reason,
    delayed_until: Option<DateTime<Utc>>,
    ended_streams: i64,
    failed_streams: i64,
    known_streams: i64,
    records: i64,
}

impl Progress {
    pub(super) async fn look(store: &Store, run: RunId) -> anyhow::Result<Self> {
        // Why a run waits can be told without its kind's limit.
        let facts = store.run_facts(run, None).await?;
        let facts = facts.with_context(|| format!("there is no run {run}"))?;
        Ok(Self { explanation: explain(&facts), facts })
    }

    pub(super) fn at(&self) -> DateTime<Utc> {
        self.facts.now
    }

    pub(super) fn state(&self) -> RunState {
        self.facts.run.state
    }

    pub(super) fn seen(&self) -> Seen {
        Seen {
            state: self.state(),
            reason: self.explanation.reason,
            delayed_until: self.facts.run.delayed_until,
            ended_streams: self.ended_streams(),
            failed_streams: self.facts.streams.failed,
            known_streams: self.known_streams(),
            records: self.facts.streams.records,
        }
    }

    pub(super) fn records(&self) -> i64 {
        self.facts.streams.records
    }

    pub(super) fn ended_streams(&self) -> i64 {
        self.facts.streams.processed + self.facts.streams.failed
    }

    pub(super) fn known_streams(&self) -> i64 {
        self.ended_streams() + self.facts.streams.pending + self.facts.streams.processing
    }

    /// `1 failed, 120 records`
    pub(super) fn yield_in_words(&self) -> String {
        let records = self.facts.streams.records;
        match self.facts.streams.failed {
            0 => format!("{records} records"),
            failed => format!("{failed} failed, {records} records"),
        }
    }

    /// While it moves, its state is enough; else what it waits for and until when, or why it ended
    /// as it did.
    pub(super) fn state_in_words(&self) -> String {
        let (state, why) = (self.state().as_str(), &self.explanation);
        match (why.reason, why.goes_on_at) {
            (Reason::Held | Reason::Processed, _) => format!("{state}{}", self.end_in_words()),
            (Reason::Failed, _) => {
                format!("{state}: {}", self.facts.run.error.as_deref().unwrap_or_default())
            }
            (_, Some(at)) if at > self.facts.now => {
                let (goes_on, end) = (relative(at, self.facts.now), self.end_in_words());
                format!("{state}, goes on {goes_on}{end}: {}", why.sentence)
            }
            _ => format!("{state}: {}", why.sentence),
        }
    }

    /// Nothing, unless it can be told.
    fn end_in_words(&self) -> String {
        let about = self.explanation.about_ends_at.map(|at| relative(at, self.facts.now));
        about.map_or(String::new(), |about| format!(", done about {about}"))
    }
}
