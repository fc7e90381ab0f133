//! Stepping streams: take what is due, fetch each page, commit it.
//!
//! To step a stream is to fetch one page, commit, let go. Streams of a run are stepped side by side.
//! Whatever asks for a rest lets the pages in flight finish; nothing new is taken.
//!
//! A stream that is over quota waits by itself, and the run goes on with what asks for something
//! else. Streams of one name ask for the same, so its siblings are put off with it: a thousand of
//! them cost one statement, rather than a try each.

use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use shared::domain::{DelayReason, Operation, RawStream, Stream};
use shared::sdk::{DynRun, RecordLimit, StreamOutput, SyncError};
use shared::store::{Claimed, Page, PageSource, RecordSpending, Store, StoreError, StreamSetback};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, warn};

use super::backoff;
use super::call::call;
use crate::{Settings, Shutdown, Worker};

/// Why stepping came to rest.
pub(super) enum Rested {
    /// Every stream has ended.
    NothingLeft,
    /// Every stream that is left waits for its own time, and mostly for this.
    NothingDue(DelayReason),
    /// The whole run waits.
    For(Duration, DelayReason),
    /// The platform refused our credentials.
    Reconnect(anyhow::Error),
    /// The slice is over, or we are to stop.
    Stopped,
}

/// Steps a run's streams until there is a reason to rest.
pub(super) async fn until_rest(
    worker: &Worker,
    claimed: &Claimed,
    run: &Arc<dyn DynRun>,
    stop: &Shutdown,
) -> Result<Rested, StoreError> {
    let mut stepping = Stepping::of(worker, claimed, run, stop);
    let rested = stepping.go().await;
    stepping.let_go().await;
    rested
}

struct Stepping<'a> {
    worker: &'a Worker,
    claimed: &'a Claimed,
    run: &'a Arc<dyn DynRun>,
    limit: Option<RecordLimit>,
    /// Streams in flight at the most.
    concurrency: usize,
    slice_ends: Instant,
    stop: Shutdown,
    in_flight: JoinSet<Result<After, StoreError>>,
    rest: Option<Rest>,
    /// Whether any stream was over quota.
    over_quota: bool,
}

/// What is asked for before anything new is taken.
enum Rest {
    Until(Instant, DelayReason),
    Reconnect(anyhow::Error),
}

impl<'a> Stepping<'a> {
    fn of(
        worker: &'a Worker,
        claimed: &'a Claimed,
        run: &'a Arc<dyn DynRun>,
        stop: &Shutdown,
    ) -> Self {
        // The run was begun by an integration of this kind, so it is registered.
        let integration = worker.registry.find(&claimed.kind).ok();
        let concurrency = integration.map_or(1, |integration| integration.concurrency());
        Self {
            worker,
            claimed,
            run,
            limit: integration.and_then(|integration| integration.limit()),
            concurrency: concurrency.min(worker.settings.streams).max(1),
            slice_ends: Instant::now() + worker.settings.slice,
            stop: stop.child(),
            in_flight: JoinSet::new(),
            rest: None,
            over_quota: false,
        }
    }

    async fn go(&mut self) -> Result<Rested, StoreError> {
        loop {
            self.take().await?;
            match self.in_flight.join_next().await {
                Some(Ok(after)) => self.note(after?),
                Some(Err(panicked)) => {
                    self.let_go().await;
                    std::panic::resume_unwind(panicked.into_panic());
                }
                None => return self.rested().await,
            }
        }
    }

    /// After an error pages may still be in flight. They are let go, but never cut off: one of them
    /// may be committing.
    async fn let_go(&mut self) {
        self.stop.hard.cancel();
        while self.in_flight.join_next().await.is_some() {}
    }

    /// Fills up with due streams once half of the places are free, so that taking costs one
    /// statement for several streams. A suspect is taken when nothing else is due, and alone.
    async fn take(&mut self) -> Result<(), StoreError> {
        if self.rest.is_some() || self.is_stopping() || self.in_flight.len() > self.concurrency / 2
        {
            return Ok(());
        }
        let Some(spends) = self.records_left().await? else { return Ok(()) };
        let (store, lease) = (&self.worker.store, self.claimed.lease);
        let free = self.concurrency - self.in_flight.len();
        let mut streams = store.take_streams(lease, free, false).await?;
        if streams.is_empty() && self.in_flight.is_empty() {
            streams = store.take_streams(lease, 1, true).await?;
        }
        for stream in streams {
            let step = Step::of(self, stream, spends.clone()).run().in_current_span();
            self.in_flight.spawn(step);
        }
        Ok(())
    }

    /// The record limit to count against; the inner `None` without one, the outer when nothing is
    /// left of it.
    async fn records_left(&mut self) -> Result<Option<Option<RecordSpending>>, StoreError> {
        let Some(limit) = self.limit else { return Ok(Some(None)) };
        let Claimed { kind, mode, .. } = self.claimed;
        let left = self.worker.store.quota_left(kind, &limit, *mode).await?;
        gauge!("quota_left", "kind" => kind.clone(), "class" => "records").set(left.records as f64);
        if left.records > 0 {
            return Ok(Some(Some(RecordSpending { kind: kind.clone(), limit, mode: *mode })));
        }
        let resets_in = (left.resets_at - left.now).to_std().unwrap_or_default();
        self.rest_for(bounded(resets_in), DelayReason::Quota);
        Ok(None)
    }

    fn is_stopping(&self) -> bool {
        self.stop.soft.is_cancelled() || Instant::now() >= self.slice_ends
    }

    fn note(&mut self, after: After) {
        match after {
            After::Nothing => {}
            After::PutOff(_) => self.over_quota = true,
            After::Rest(rest, reason) => self.rest_for(rest, reason),
            After::Reconnect(error) => self.rest = Some(Rest::Reconnect(error)),
        }
    }

    /// The longest rest counts; nothing outweighs a reconnect.
    fn rest_for(&mut self, rest: Duration, reason: DelayReason) {
        let until = Instant::now() + rest;
        match &self.rest {
            Some(Rest::Reconnect(_)) => {}
            Some(Rest::Until(known, _)) if *known >= until => {}
            _ => self.rest = Some(Rest::Until(until, reason)),
        }
    }

    async fn rested(&mut self) -> Result<Rested, StoreError> {
        match self.rest.take() {
            Some(Rest::Reconnect(error)) => return Ok(Rested::Reconnect(error)),
            Some(Rest::Until(until, reason)) => {
                return Ok(Rested::For(until.saturating_duration_since(Instant::now()), reason));
            }
            None if self.is_stopping() => return Ok(Rested::Stopped),
            None => {}
        }
        let wait = if self.over_quota { DelayReason::Quota } else { DelayReason::Retry };
        Ok(match self.worker.store.next_due(self.claimed.lease.run_id).await? {
            Some(_) => Rested::NothingDue(wait),
            None => Rested::NothingLeft,
        })
    }
}

/// One stream in flight.
struct Step {
    store: Store,
    settings: Settings,
    run: Arc<dyn DynRun>,
    kind: String,
    source: PageSource,
    stream: Stream,
    spends: Option<RecordSpending>,
    let_go: CancellationToken,
}

/// What a step asks of those that follow.
enum After {
    Nothing,
    /// Those of the same name wait as long.
    PutOff(Duration),
    Rest(Duration, DelayReason),
    Reconnect(anyhow::Error),
}

impl Step {
    fn of(stepping: &Stepping<'_>, stream: Stream, spends: Option<RecordSpending>) -> Self {
        let claimed = stepping.claimed;
        Self {
            store: stepping.worker.store.clone(),
            settings: stepping.worker.settings.clone(),
            run: Arc::clone(stepping.run),
            kind: claimed.kind.clone(),
            source: PageSource {
                lease: claimed.lease,
                stream: stream.id,
                tenant: claimed.tenant_id,
                integration: claimed.integration_id,
            },
            stream,
            spends,
            let_go: stepping.stop.hard.clone(),
        }
    }

    /// Fetch with no transaction open, then commit in one.
    async fn run(mut self) -> Result<After, StoreError> {
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
            Ok(output) => self.commit(output, requests).await,
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
