//! What a page brings, and what a finished run can be asked.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::Operation;

/// What came of stepping a stream once. Write `..StreamOutput::empty()` for the rest.
#[derive(Debug)]
pub struct StreamOutput<S> {
    /// What the sink must do.
    pub operations: Vec<Operation>,
    pub last_record: Option<LastRecord>,
    /// Added once per run, however often they are mentioned.
    pub new_streams: Vec<S>,
    pub next_page: Option<S>,
    /// Commit this, then let the run rest.
    pub sleep: Option<Duration>,
    /// What `postprocess` should know of this page, such as the newest id on it. In the author's own
    /// words, at most a few kilobytes.
    pub mark: Option<String>,
}

/// The last record of a page, in the platform's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRecord {
    pub id: String,
    pub at: DateTime<Utc>,
}

impl<S> StreamOutput<S> {
    pub fn empty() -> Self {
        Self {
            operations: Vec::new(),
            last_record: None,
            new_streams: Vec::new(),
            next_page: None,
            sleep: None,
            mark: None,
        }
    }

    pub fn records(&self) -> usize {
        self.operations.iter().map(Operation::records).sum()
    }
}

/// How the streams of a run ended, for `postprocess`.
#[derive(Debug)]
pub struct RunSummary<S> {
    pub streams: Vec<EndedStream<S>>,
}

#[derive(Clone, Debug)]
pub struct EndedStream<S> {
    pub stream: S,
    /// Given up: its page is a hole, to be read again some other time.
    pub failed: bool,
    /// What its page left for `postprocess`.
    pub mark: Option<String>,
}

impl<S> RunSummary<S> {
    pub fn processed(&self) -> impl Iterator<Item = &S> {
        self.streams.iter().filter(|ended| !ended.failed).map(|ended| &ended.stream)
    }

    pub fn failed(&self) -> impl Iterator<Item = &S> {
        self.streams.iter().filter(|ended| ended.failed).map(|ended| &ended.stream)
    }
}
