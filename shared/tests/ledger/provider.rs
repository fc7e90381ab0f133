//! A platform that counts, and the workers that ask it, under a clock that is turned.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use shared::clock::Clock;
use shared::domain::{CountedBy, RequestLimit, RunMode, TenantId};
use shared::ledger::{Ledger, Spender};
use shared::sdk::{Quota, Spending, SyncError};
use shared::store::Store;
use sqlx::PgPool;
use tokio::task::JoinSet;
use uuid::Uuid;

pub(crate) fn noon() -> DateTime<Utc> {
    "2024-05-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn limit(allowed: u32, per: Duration, counted_by: CountedBy) -> RequestLimit {
    RequestLimit::new("lists", allowed, per, counted_by)
}

pub(crate) fn spending(limit: &RequestLimit) -> [Spending; 1] {
    [Spending { limit: limit.clone(), cost: 1 }]
}

/// Workers that share a database and nothing else.
pub(crate) fn workers(pool: &PgPool, clock: &Clock, count: usize) -> Vec<Ledger> {
    (0..count).map(|_| Ledger::of(Store::new(pool.clone(), clock.clone()))).collect()
}

pub(crate) fn tenant(number: u128) -> TenantId {
    TenantId(Uuid::from_u128(number))
}

pub(crate) fn spender(number: u128, mode: RunMode) -> Spender {
    let (platform, credential) = ("forum".to_owned(), format!("the credential of {number}"));
    Spender { platform, tenant: tenant(number), mode, credential }
}

pub(crate) fn quota(ledger: &Ledger, number: u128, mode: RunMode) -> Arc<dyn Quota> {
    ledger.counts(spender(number, mode))
}

/// Somebody's requests, from some moment on, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    pub(crate) tenant: u128,
    pub(crate) mode: RunMode,
    pub(crate) requests: usize,
    pub(crate) begins: Duration,
    /// Which worker has the run.
    pub(crate) worker: usize,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Outcome {
    /// When the platform counted a request.
    pub(crate) counted: Vec<DateTime<Utc>>,
    /// Which of the crowd, and how long after its beginning its last request was answered.
    pub(crate) took: Vec<(usize, TimeDelta)>,
}

impl Outcome {
    /// The most in any interval as long as a window.
    pub(crate) fn most_in_a_window(&self, per: Duration) -> usize {
        let mut counted = self.counted.clone();
        counted.sort_unstable();
        let within = |end: &DateTime<Utc>| {
            counted.iter().filter(|at| **at <= *end && **at > *end - per).count()
        };
        counted.iter().map(within).max().unwrap_or(0)
    }

    /// The most in any of the windows that follow each other from noon on.
    pub(crate) fn most_in_an_aligned_window(&self, per: Duration) -> usize {
        let mut windows = std::collections::BTreeMap::<i64, usize>::new();
        for at in &self.counted {
            let window = (*at - noon()).num_milliseconds() / per.as_millis() as i64;
            *windows.entry(window).or_default() += 1;
        }
        windows.into_values().max().unwrap_or(0)
    }

    pub(crate) fn counted_within(&self, length: Duration) -> usize {
        self.counted.iter().filter(|at| **at < noon() + length).count()
    }
}

/// Lives through it until then, turning the clock whenever everybody sleeps by it.
pub(crate) async fn live(
    pool: &PgPool,
    limit: &RequestLimit,
    crowd: &[Crowd],
    length: Duration,
    seed: u64,
) -> Outcome {
    let clock = Clock::standing_at(noon());
    let workers = workers(pool, &clock, 4);
    let outcome = Arc::new(Mutex::new(Outcome::default()));
    let mut living = JoinSet::new();
    for (index, one) in crowd.iter().enumerate() {
        let mut rng = StdRng::seed_from_u64(seed ^ index as u64);
        let (ledger, clock) = (workers[one.worker].clone(), clock.clone());
        let (limit, one, outcome) = (limit.clone(), *one, Arc::clone(&outcome));
        living.spawn(async move {
            clock.sleep_until(noon() + one.begins).await;
            for _ in 0..one.requests {
                request(&ledger, one, &limit, &clock, &mut rng, &outcome).await;
            }
            ledger.let_go(tenant(one.tenant), one.mode).await;
            let took = clock.now() - (noon() + one.begins);
            outcome.lock().unwrap().took.push((index, took));
        });
    }
    turn(&clock, &mut living, length).await;
    living.shutdown().await;
    std::mem::take(&mut *outcome.lock().unwrap())
}

/// Who sleeps by the clock listens to it: when all do, nothing happens until it is turned.
async fn turn(clock: &Clock, living: &mut JoinSet<()>, length: Duration) {
    const STEP: Duration = Duration::from_millis(50);
    let Clock::Turned(time) = clock else { panic!("a clock that is turned") };
    while clock.now() < noon() + length {
        while let Some(done) = living.try_join_next() {
            done.unwrap();
        }
        if living.is_empty() {
            return;
        }
        if time.receiver_count() == living.len() {
            clock.advance(STEP);
        }
        tokio::task::yield_now().await;
    }
}

/// As a stream does: waits in place, or asleep until its turn and a little longer.
async fn request(
    ledger: &Ledger,
    one: Crowd,
    limit: &RequestLimit,
    clock: &Clock,
    rng: &mut StdRng,
    outcome: &Mutex<Outcome>,
) {
    let quota = ledger.counts(spender(one.tenant, one.mode));
    let spending = spending(limit);
    let spent = loop {
        match quota.spend(&spending).await {
            Ok(spent) => break spent,
            Err(SyncError::OverQuota { retry_after, .. }) => {
                ledger.let_go(tenant(one.tenant), one.mode).await;
                let late = Duration::from_millis(rng.random_range(0..1_000));
                clock.sleep_until(clock.now() + retry_after + late).await;
            }
            Err(error) => panic!("{error}"),
        }
    };
    let mut somewhat_later =
        || clock.sleep_until(clock.now() + Duration::from_millis(rng.random_range(10..150)));
    somewhat_later().await;
    outcome.lock().unwrap().counted.push(clock.now());
    somewhat_later().await;
    drop(spent);
    quota.answered(&spending).await;
}
