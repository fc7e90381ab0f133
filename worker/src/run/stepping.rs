//! Stepping a run's streams: take what is due, step it side by side, until there is a reason to rest.
//!
//! To step a stream is to fetch one page, commit, let go (`step.rs`). Whatever asks for a rest lets
//! the pages in flight finish; nothing new is taken.

use std::sync::Arc;
use std::time::Duration;

use metrics::gauge;
use shared::domain::{DelayReason, Stream};
use shared::sdk::{DynRun, RecordLimit};
use shared::store::{Claimed, PageSource, RecordSpending, StoreError};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;

use super::step::{After, Step, bounded};
use crate::{Shutdown, Worker};

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
            let step = self.step(stream, spends.clone());
            self.in_flight.spawn(step.run().in_current_span());
        }
        Ok(())
    }

    fn step(&self, stream: Stream, spends: Option<RecordSpending>) -> Step {
        let claimed = self.claimed;
        Step {
            store: self.worker.store.clone(),
            settings: self.worker.settings.clone(),
            run: Arc::clone(self.run),
            kind: claimed.kind.clone(),
            source: PageSource {
                lease: claimed.lease,
                stream: stream.id,
                tenant: claimed.tenant_id,
                integration: claimed.integration_id,
            },
            stream,
            spends,
            let_go: self.stop.hard.clone(),
        }
    }

    /// The record limit to count against; the inner `None` without one, the outer when nothing is
    /// left of it.
    async fn records_left(&mut self) -> Result<Option<Option<RecordSpending>>, StoreError> {
        let Some(limit) = self.limit else { return Ok(Some(None)) };
        let Claimed { kind, mode, .. } = self.claimed;
        let left = self.worker.store.quota_left(kind, &limit, *mode).await?;
        gauge!("quota_left", "platform" => kind.clone(), "class" => "records")
            .set(left.records as f64);
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
