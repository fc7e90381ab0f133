//! One stream in flight: its page is fetched and committed, or the stream is set back.
//!
//! A stream that is over quota waits by itself, and the run goes on with what asks for something
//! else. Streams of one name ask for the same, so its siblings are put off with it: a thousand of
//! them cost one statement, rather than a try each.

use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, histogram};
use shared::domain::{DelayReason, Operation, RawStream, Stream};
use shared::sdk::{DynRun, StreamOutput, SyncError};
use shared::store::{Page, PageSource, RecordSpending, Store, StoreError, StreamSetback};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::backoff;
use super::call::call;
use crate::Settings;

/// One stream in flight.
pub(super) struct Step {
    pub(super) store: Store,
    pub(super) settings: Settings,
    pub(super) run: Arc<dyn DynRun>,
    pub(super) kind: String,
    pub(super) source: PageSource,
    pub(super) stream: Stream,
    /// The record limit to count against.
    pub(super) spends: Option<RecordSpending>,
    /// Cancelled when the page is not to be waited for any more.
    pub(super) let_go: CancellationToken,
}

/// What a step asks of those that follow.
pub(super) enum After {
    Nothing,
    /// Those of the same name wait as long.
    PutOff(Duration),
    Rest(Duration, DelayReason),
    Reconnect(anyhow::Error),
}

impl Step {
    /// Fetch with no transaction open, then commit in one.
    pub(super) async fn run(mut self) -> Result<After, StoreError> {
        let raw = RawStream {
            name: std::mem::take(&mut self.stream.name),
            payload: std::mem::take(&mut self.stream.payload),
        };
        let Some((output, requests)) = call(&self.let_go, self.run.process_stream(&raw)).await
        else {
            // Given back with the run; costs no attempt.
            return Ok(After::Nothing);
        };
        match output {
            Ok(output) => match self.commit(output, requests).await {
                // Whoever read it again would be refused as well: it costs an attempt, as a page does
                // that cannot be read.
                Err(refused) if refused.is_refusal() => {
                    let error = anyhow::Error::new(refused).context("storing the page");
                    self.set_back(&raw, error.into(), requests).await
                }
                committed => committed,
            },
            Err(error) => self.set_back(&raw, error, requests).await,
        }
    }

    async fn commit(
        &self,
        output: StreamOutput<RawStream>,
        requests: u64,
    ) -> Result<After, StoreError> {
        let sleep = output.sleep;
        let page = self.page(output, requests);
        self.store.commit_page(self.source, &page).await?;
        self.count("done");
        count_operations(&self.kind, &page.operations);
        debug!(stream.id = %self.source.stream, records = page.records(), "committed a page");
        Ok(sleep.map_or(After::Nothing, |sleep| After::Rest(bounded(sleep), DelayReason::Sleep)))
    }

    fn page(&self, output: StreamOutput<RawStream>, requests: u64) -> Page {
        let StreamOutput { operations, last_record, mut new_streams, next_page, mark, .. } = output;
        new_streams.extend(next_page);
        let spends = self.spends.clone();
        Page { operations, streams: new_streams, last_record, mark, requests, spends }
    }

    async fn set_back(
        &self,
        stream: &RawStream,
        error: SyncError,
        requests: u64,
    ) -> Result<After, StoreError> {
        let (setback, after) = self.decide(error);
        self.store.set_back(self.source.lease, self.source.stream, &setback, requests).await?;
        if let After::PutOff(rest) = after {
            self.store.put_off(self.source.lease, &stream.name, rest).await?;
        }
        match &setback {
            StreamSetback::NotNow { .. } => self.count("not_now"),
            StreamSetback::Again { error, .. } => {
                warn!(stream = %stream.payload, "stepped again later: {error}");
                self.count("again");
            }
            StreamSetback::Never { error } => {
                warn!(stream = %stream.payload, "given up: {error}");
                self.count("never");
            }
        }
        Ok(after)
    }

    /// Not now, never, or again: the outcomes besides done.
    fn decide(&self, error: SyncError) -> (StreamSetback, After) {
        match error {
            SyncError::RateLimited { retry_after } => {
                let rest = bounded(retry_after);
                histogram!("provider_wait_seconds", "kind" => self.kind.clone()).record(rest);
                let after = After::Rest(rest, DelayReason::RateLimit);
                (StreamSetback::NotNow { after: rest }, after)
            }
            SyncError::OverQuota { class, retry_after } => {
                let rest = bounded(retry_after);
                debug!(class, ?rest, "waits for its share of a limit");
                (StreamSetback::NotNow { after: rest }, After::PutOff(rest))
            }
            SyncError::Unauthorized(error) => {
                (StreamSetback::NotNow { after: Duration::ZERO }, After::Reconnect(error))
            }
            SyncError::Other(error) if self.stream.attempts + 1 < Store::ATTEMPTS => {
                let after = backoff::after(self.stream.attempts + 1, &self.settings);
                (StreamSetback::Again { after, error: format!("{error:#}") }, After::Nothing)
            }
            SyncError::Permanent(error) | SyncError::Other(error) => {
                (StreamSetback::Never { error: format!("{error:#}") }, After::Nothing)
            }
        }
    }

    fn count(&self, outcome: &'static str) {
        counter!("stream_outcomes_total", "kind" => self.kind.clone(), "outcome" => outcome)
            .increment(1);
    }
}

/// Between a second and a day, whatever a platform says: no hot loop, and nothing waits until the
/// year 2079.
pub(crate) fn bounded(rest: Duration) -> Duration {
    rest.clamp(Duration::from_secs(1), Duration::from_secs(24 * 3600))
}

fn count_operations(kind: &str, operations: &[Operation]) {
    for operation in operations {
        let records = operation.records() as u64;
        counter!("operations_total", "kind" => kind.to_owned(), "operation" => operation.name())
            .increment(1);
        counter!("records_total", "kind" => kind.to_owned()).increment(records);
    }
}
