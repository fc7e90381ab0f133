//! The beat of a generator: hold the scheduler lease, fire the tick that has begun, start its
//! checks, send what is due. Once a tick, whether it leads or not, it measures what waits.

use std::time::Duration;

use metrics::{counter, gauge};
use shared::domain::Tick;
use shared::store::{SchedulerLease, StoreError};
use shared::telemetry::Trace;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::{Generator, checks, redeliver};

/// Beats until `stop`, then gives the lease up. A database or queue that is away is waited for.
pub async fn tick(generator: Generator, stop: CancellationToken) {
    let mut scheduler = Scheduler::new(generator);
    let mut beats = interval(scheduler.generator.settings.beat.max(Duration::from_millis(10)));
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = beats.tick() => {}
        }
        // Outside of the select: a beat is never cut off in the middle of a statement.
        if let Err(error) = Trace::start().around(scheduler.beat()).await {
            warn!("a beat failed, the next one tries again: {error:#}");
        }
    }
    scheduler.give_up().await;
}

/// A generator's part in scheduling: it holds the scheduler lease and beats, or waits until it may.
///
/// [`tick()`] beats it once a second; whoever turns the clock by hand beats it by hand.
pub struct Scheduler {
    generator: Generator,
    lease: SchedulerLease,
    leads: bool,
    last_tick: Option<Tick>,
    /// Fired by us, and its checks are not all made.
    unfinished: Option<Tick>,
    /// When we last measured, by the running clock.
    measured: Option<Duration>,
}

impl Scheduler {
    /// Holds nothing before its first beat.
    pub fn new(generator: Generator) -> Self {
        let lease = SchedulerLease { token: Uuid::new_v4() };
        Self { generator, lease, leads: false, last_tick: None, unfinished: None, measured: None }
    }

    /// Does whatever is to be done now. After an error the next beat goes on where this one stopped.
    pub async fn beat(&mut self) -> anyhow::Result<()> {
        let led = self.lead().await;
        // What waits is worth knowing most of all when nothing can be led.
        let measured = self.measure().await;
        led.and(measured)
    }

    /// What only the leader does.
    async fn lead(&mut self) -> anyhow::Result<()> {
        if !self.hold().await? {
            return Ok(());
        }
        // What is due is sent even if checks cannot be made, and the other way round.
        let started = self.start_checks().await;
        redeliver::send_due(&self.generator).await?;
        started
    }

    /// Once a tick, by every generator: a gauge that only the leader set would stand still in whoever
    /// led before.
    async fn measure(&mut self) -> anyhow::Result<()> {
        let Generator { store, queue, settings, .. } = &self.generator;
        let now = store.clock().running();
        if self.measured.is_some_and(|last| now.saturating_sub(last) < settings.tick) {
            return Ok(());
        }
        self.measured = Some(now);
        gauge!("outbox_backlog").set(store.outbox_backlog().await? as f64);
        gauge!("queue_depth").set(queue.depth().await? as f64);
        Ok(())
    }

    /// Lets another generator lead at once, instead of after the lease.
    pub async fn give_up(&self) {
        if let Err(error) = self.generator.store.give_up_scheduler(self.lease).await {
            warn!("the scheduler lease was not given up; it ends by itself: {error}");
        }
    }

    async fn start_checks(&mut self) -> anyhow::Result<()> {
        if let Some(tick) = self.fire().await? {
            self.unfinished = Some(tick);
        }
        let Some(tick) = self.unfinished else { return Ok(()) };
        checks::start_due(&self.generator, tick).await?;
        self.unfinished = None;
        Ok(())
    }

    async fn hold(&mut self) -> Result<bool, StoreError> {
        let Generator { store, settings, .. } = &self.generator;
        let leads = store.hold_scheduler(self.lease, &settings.holder, settings.lease).await?;
        if leads != self.leads {
            info!(holder = settings.holder, leads, "the scheduler lease changed hands");
            gauge!("scheduler_leader").set(u8::from(leads));
        }
        self.leads = leads;
        Ok(leads)
    }

    /// The tick that has begun, if nobody fired it before.
    async fn fire(&mut self) -> Result<Option<Tick>, StoreError> {
        let Generator { store, settings, .. } = &self.generator;
        let tick = Tick::at(store.now().await?, settings.tick);
        if self.last_tick.is_some_and(|last| last >= tick) {
            return Ok(None);
        }
        let fired = store.fire_tick(tick, &settings.holder).await?;
        self.last_tick = Some(tick);
        counter!("ticks_total").increment(u64::from(fired));
        Ok(fired.then_some(tick))
    }
}
