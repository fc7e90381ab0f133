//! What the database would hold of a run, and what the engine would decide over it.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::{self, Display};
use std::time::Duration;

use super::Ending;
use crate::domain::{ATTEMPTS, Operation, RawStream};
use crate::sdk::{EndedStream, StreamOutput, SyncError};

/// Rests after which a platform is taken for one that never lets anybody in.
const MOST_WAITS: usize = 1000;

#[derive(Default)]
pub(super) struct Rows {
    pub(super) listed: bool,
    pub(super) operations: Vec<Operation>,
    pub(super) waits: Vec<Duration>,
    pub(super) attempts_spent: usize,
    pub(super) trace: Vec<String>,
    /// Every stream there ever was in this run.
    known: BTreeSet<(String, String)>,
    pending: VecDeque<Pending>,
    /// In the order of their ends, and whether they failed.
    ended: Vec<EndedStream<String>>,
}

pub(super) struct Pending {
    pub(super) stream: RawStream,
    failures: i32,
}

/// The outcomes besides done.
pub(super) enum Setback {
    NotNow(Duration),
    Again(String),
    Never(String),
    Reconnect(String),
}

impl Rows {
    /// The first streams, once in a run's life.
    pub(super) fn list(&mut self, streams: Vec<RawStream>) {
        self.listed = true;
        let added = streams.into_iter().filter(|stream| self.add(stream)).count();
        self.trace.push(format!("the run -> {}", some(added, "stream")));
    }

    pub(super) fn take(&mut self) -> Option<Pending> {
        self.pending.pop_front()
    }

    pub(super) fn commit(
        &mut self,
        Pending { stream, .. }: Pending,
        page: StreamOutput<RawStream>,
    ) {
        let records = page.records();
        let mut said = vec![some(records, "record")];
        let added = page.new_streams.iter().filter(|stream| self.add(stream)).count();
        if added > 0 {
            said.push(some(added, "new stream"));
        }
        if page.next_page.is_some_and(|next| self.add(&next)) {
            said.push("next page".to_owned());
        }
        if let Some(sleep) = page.sleep {
            said.push(format!("then rest for {sleep:?}"));
            self.waits.push(sleep);
        }
        self.trace.push(format!("{} -> done: {}", stream.payload, said.join(", ")));
        self.operations.extend(page.operations);
        let stream = stream.payload.to_string();
        self.ended.push(EndedStream { stream, failed: false, mark: page.mark });
    }

    /// Notes that a stream did not go well; an error if that ends the whole run.
    pub(super) fn set_back(
        &mut self,
        mut pending: Pending,
        error: SyncError,
    ) -> Result<(), Ending> {
        let setback = Setback::of(error, &mut pending.failures);
        self.note(&pending.stream.payload, &setback)?;
        match setback {
            Setback::NotNow(_) | Setback::Again(_) => self.pending.push_back(pending),
            Setback::Never(_) => {
                let stream = pending.stream.payload.to_string();
                self.ended.push(EndedStream { stream, failed: true, mark: None });
            }
            Setback::Reconnect(_) => return Err(Ending::NeedsReconnect),
        }
        Ok(())
    }

    /// As [`Rows::set_back`], of the beginning or the closing of the run.
    pub(super) fn set_run_back(&mut self, what: &str, setback: &Setback) -> Result<(), Ending> {
        self.note(&what, setback)?;
        match setback {
            Setback::NotNow(_) | Setback::Again(_) => Ok(()),
            Setback::Never(_) => Err(Ending::Failed),
            Setback::Reconnect(_) => Err(Ending::NeedsReconnect),
        }
    }

    pub(super) fn ended(&self) -> Vec<EndedStream<String>> {
        self.ended.clone()
    }

    /// Of a run whose streams have all ended.
    pub(super) fn ending(&self) -> Ending {
        match self.ended.iter().filter(|ended| ended.failed).count() {
            0 => Ending::Processed,
            streams => Ending::Hole { streams },
        }
    }

    /// Whether the run did not have it yet.
    fn add(&mut self, stream: &RawStream) -> bool {
        let is_new = self.known.insert((stream.name.clone(), stream.payload.to_string()));
        if is_new {
            self.pending.push_back(Pending { stream: stream.clone(), failures: 0 });
        }
        is_new
    }

    fn note(&mut self, what: &dyn Display, setback: &Setback) -> Result<(), Ending> {
        self.trace.push(format!("{what} -> {setback}"));
        match setback {
            Setback::NotNow(wait) => self.waits.push(*wait),
            Setback::Again(_) | Setback::Never(_) => self.attempts_spent += 1,
            Setback::Reconnect(_) => {}
        }
        if self.waits.len() > MOST_WAITS { Err(Ending::Endless) } else { Ok(()) }
    }
}

impl Setback {
    pub(super) fn of(error: SyncError, failures: &mut i32) -> Self {
        match error {
            SyncError::RateLimited { retry_after } | SyncError::OverQuota { retry_after, .. } => {
                Self::NotNow(retry_after)
            }
            SyncError::Unauthorized(error) => Self::Reconnect(format!("{error:#}")),
            SyncError::Other(error) if *failures + 1 < ATTEMPTS => {
                *failures += 1;
                Self::Again(format!("{error:#}"))
            }
            SyncError::Permanent(error) | SyncError::Other(error) => {
                Self::Never(format!("{error:#}"))
            }
        }
    }
}

impl Display for Setback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNow(wait) => write!(f, "not now, but after {wait:?}"),
            Self::Again(error) => write!(f, "again: {error}"),
            Self::Never(error) => write!(f, "never: {error}"),
            Self::Reconnect(error) => write!(f, "reconnect: {error}"),
        }
    }
}

fn some(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
