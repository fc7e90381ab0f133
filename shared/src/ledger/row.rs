//! A limit's row as one process sees it: the slices it has leased, and who in it wants some.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use metrics::gauge;

use super::slices::{Permit, Slices, Spent};
use super::without_ids;
use crate::clock::Clock;
use crate::domain::quota::{Answer, Ask, Book, Settled, SliceId, Terms};
use crate::domain::{RunMode, Said, TenantId};
use crate::store::{QuotaKey, Result, Store};

pub(super) struct Row {
    key: QuotaKey,
    terms: Terms,
    clock: Clock,
    /// Held while the database is asked, so that the others find what came of it.
    gate: tokio::sync::Mutex<()>,
    /// Whose slices.
    slices: Mutex<HashMap<Who, Arc<Slices>>>,
    /// The last thing the platform said, and when, until it is written down.
    said: Mutex<Option<(Said, Duration)>>,
}

/// A tenant's onboardings, or its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Who {
    pub(super) tenant: TenantId,
    pub(super) mode: RunMode,
}

pub(super) enum Taken {
    Permit(Permit),
    /// Nothing was taken; asking again is worth it after so long.
    Wait(Duration),
}

impl Row {
    pub(super) fn of(key: QuotaKey, terms: Terms, clock: Clock) -> Self {
        Self {
            key,
            terms,
            clock,
            gate: tokio::sync::Mutex::default(),
            slices: Mutex::default(),
            said: Mutex::default(),
        }
    }

    /// From a slice in hand, or from a new one.
    pub(super) async fn take(&self, store: &Store, who: Who, cost: u64) -> Result<Taken> {
        let slices = self.slices(who);
        if let Some(permit) = slices.take(cost, self.clock.running()) {
            return Ok(Taken::Permit(permit));
        }
        let _wanting = Wanting::mark(&slices.wanting, cost);
        let _gate = self.gate.lock().await;
        let now = self.clock.running();
        if let Some(permit) = slices.take(cost, now) {
            return Ok(Taken::Permit(permit));
        }
        match slices.told_to_wait(now) {
            Some(wait) => Ok(Taken::Wait(wait)),
            None => self.lease(store, who, &slices, cost).await,
        }
    }

    async fn lease(
        &self,
        store: &Store,
        who: Who,
        slices: &Arc<Slices>,
        cost: u64,
    ) -> Result<Taken> {
        let ask = Ask {
            slice: SliceId(rand::random()),
            tenant: who.tenant,
            mode: who.mode,
            least: cost,
            wanted: slices.wanted(cost),
        };
        let terms = self.terms;
        let asked = self.clock.running();
        let (answer, now) =
            self.write(store, |book, now| (book.ask(&terms, &ask, now), now)).await?;
        match answer {
            Answer::Leased { units, life } => {
                slices.add(ask.slice, units, asked + life);
                // What costs more than a window allows is paid for by a whole one.
                let permit = slices.take(cost.min(units), self.clock.running());
                // The database took longer than a slice lives.
                Ok(permit.map_or(Taken::Wait(life), Taken::Permit))
            }
            Answer::Wait { until } => {
                let wait = (until - now).to_std().unwrap_or_default();
                slices.wait_until(self.clock.running() + wait);
                Ok(Taken::Wait(wait))
            }
        }
    }

    /// Noted here, and written down with what is settled next; a refusal at once.
    pub(super) async fn heed(&self, store: &Store, who: Who, said: Said) -> Result<()> {
        if said == Said::default() {
            return Ok(());
        }
        let slices = self.slices(who);
        self.note(said);
        slices.leave(said.remaining.map(u64::from));
        if said.refused_for.is_none() {
            return Ok(());
        }
        slices.leave(Some(0));
        let _gate = self.gate.lock().await;
        self.write(store, |_, _| ()).await
    }

    /// That a slice is over is written down, unless somebody is about to ask, who takes it along.
    pub(super) async fn answered(&self, store: &Store, who: Who) -> Result<()> {
        let slices = self.slices(who);
        let wanted = slices.wanting.load(Ordering::Relaxed) > 0;
        if wanted || !slices.has_some_over(self.clock.running()) {
            return Ok(());
        }
        let _gate = self.gate.lock().await;
        self.write(store, |_, _| ()).await
    }

    /// A refusal is not forgotten for an answer that comes while it is written down.
    fn note(&self, said: Said) {
        let mut last = self.said();
        if said.refused_for.is_some() || last.is_none_or(|(last, _)| last.refused_for.is_none()) {
            *last = Some((said, self.clock.running()));
        }
    }

    pub(super) async fn let_go(&self, store: &Store, who: Who) -> Result<()> {
        let slices = self.slices(who);
        slices.leave(Some(0));
        if slices.has_some_over(self.clock.running()) {
            let _gate = self.gate.lock().await;
            self.write(store, |_, _| ()).await?;
        }
        self.all_slices().retain(|_, slices| !slices.is_empty());
        Ok(())
    }

    pub(super) fn knows(&self, who: Who) -> bool {
        self.all_slices().contains_key(&who)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.all_slices().is_empty()
    }

    /// Changes the book, and what is to be settled with it. Again, if another process was first.
    async fn write<T>(
        &self,
        store: &Store,
        change: impl Fn(&mut Book, DateTime<Utc>) -> T,
    ) -> Result<T> {
        loop {
            let mut read = store.quota_book(&self.key).await?;
            let running = self.clock.running();
            let over = self.over(running);
            let said = *self.said();
            for spent in &over {
                let at = read.now - ago(spent.answered, running);
                let settled = Settled { slice: spent.slice, spent: spent.units, at };
                read.book.settle(&self.terms, &settled, read.now);
            }
            if let Some((said, at)) = said {
                let at = read.now - ago(at, running);
                read.book.heed(&self.terms, &said, at);
            }
            let came_of_it = change(&mut read.book, read.now);
            let units = over.iter().map(|spent| spent.units).sum();
            if store.write_quota_book(&self.key, &read, self.terms.allowed, units).await? {
                self.settled(&over, said);
                self.show(&read.book, read.now);
                return Ok(came_of_it);
            }
        }
    }

    fn over(&self, now: Duration) -> Vec<Spent> {
        self.all_slices().values().flat_map(|slices| slices.over(now)).collect()
    }

    fn settled(&self, over: &[Spent], said: Option<(Said, Duration)>) {
        self.all_slices().values().for_each(|slices| slices.forget(over));
        let mut last = self.said();
        *last = last.filter(|last| Some(*last) != said);
    }

    fn show(&self, book: &Book, now: DateTime<Utc>) {
        let left = book.left(&self.terms, RunMode::Check, now);
        let (platform, class) = (self.key.owner.clone(), without_ids(&self.key.class));
        gauge!("quota_left", "platform" => platform, "class" => class).set(left as f64);
    }

    fn slices(&self, who: Who) -> Arc<Slices> {
        let clock = &self.clock;
        Arc::clone(self.all_slices().entry(who).or_insert_with(|| Slices::by(clock.clone())))
    }

    fn all_slices(&self) -> MutexGuard<'_, HashMap<Who, Arc<Slices>>> {
        self.slices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn said(&self) -> MutexGuard<'_, Option<(Said, Duration)>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ago(at: Duration, now: Duration) -> TimeDelta {
    TimeDelta::from_std(now.saturating_sub(at)).unwrap_or_default()
}

/// Counts what is wanted at this moment, also when who wants it gives up.
struct Wanting<'a>(&'a AtomicU64, u64);

impl<'a> Wanting<'a> {
    fn mark(wanting: &'a AtomicU64, units: u64) -> Self {
        wanting.fetch_add(units, Ordering::Relaxed);
        Self(wanting, units)
    }
}

impl Drop for Wanting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}
