//! Workers killed with SIGKILL, at random moments: each run is taken over in time, nothing is lost,
//! and hardly anything is done twice.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use rand::rngs::StdRng;
use sandbox::devto::Community;
use shared::domain::RunId;
use sqlx::PgPool;

use crate::harness::{Service, Stage, Stopwatch, audit, chance, pause};

const LEASE: TimeDelta = TimeDelta::seconds(1);

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn thirty_kills_lose_nothing_and_redo_a_page_each_at_the_most(pool: PgPool) {
    Kills { count: 30, streams: 1, latency: Duration::from_millis(80) }.happen(pool).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn kills_between_three_pages_redo_three_each_at_the_most(pool: PgPool) {
    Kills { count: 10, streams: 3, latency: Duration::from_millis(90) }.happen(pool).await;
}

struct Kills {
    count: u64,
    /// In flight at the same time.
    streams: u64,
    /// Of each page, so that the onboarding outlives the kills on the fastest machine.
    latency: Duration,
}

/// A worker killed while it held the run.
struct Killed {
    name: String,
    at: DateTime<Utc>,
}

impl Kills {
    async fn happen(&self, pool: PgPool) {
        let mut watch = Stopwatch::start();
        let stage = Stage::set(pool, Community::realistic(7, 200, 600)).await;
        stage.devto.set_latency(self.latency);
        let run = stage.connect().await.onboarding;
        let _generator = stage.generator().start().await;

        let (_alive, killed) = self.kill_workers(&stage, run, chance()).await;
        watch.part(&format!("{} kills, {} of whoever held the run", self.count, killed.len()));
        stage.devto.set_latency(Duration::ZERO);
        stage.check().await;
        watch.part("the rest");

        check_takeovers(&stage, run, &killed).await;
        let pages = stage.count("integration_streams").await as u64;
        let redone = stage.devto.request_count() - pages;
        println!("{pages} pages, {redone} of them fetched again");
        assert!(redone <= self.streams * self.count, "{redone} pages were fetched again");
    }

    /// Two workers at any time: whoever is killed has a successor. Those who are left, and those who
    /// were killed over the run.
    async fn kill_workers(
        &self,
        stage: &Stage,
        run: RunId,
        mut rng: StdRng,
    ) -> (Vec<Service>, Vec<Killed>) {
        let mut alive = vec![self.worker(stage).await, self.worker(stage).await];
        let mut killed = Vec::new();
        for _ in 0..self.count {
            pause(Duration::from_millis(rng.random_range(100..1_200))).await;
            let holder = stage.run(run).await.lease_holder.unwrap_or_default();
            let held = alive.iter().position(|worker| worker.is(&holder));
            let victim = alive.swap_remove(held.unwrap_or_else(|| rng.random_range(0..2)));
            if held.is_some() {
                killed.push(Killed { name: victim.name.clone(), at: Utc::now() });
            }
            victim.kill();
            let ended = stage.run(run).await.processed_at;
            assert_eq!(ended, None, "the onboarding is over before the kills are");
            alive.push(self.worker(stage).await);
        }
        (alive, killed)
    }

    async fn worker(&self, stage: &Stage) -> Service {
        let worker = stage.worker().with("--streams-per-run", self.streams);
        let worker = worker.with("--lease-seconds", LEASE.num_seconds());
        worker.with("--visibility-seconds", LEASE.num_seconds()).start().await
    }
}

/// After each kill somebody else went on with the run within the lease and five seconds.
async fn check_takeovers(stage: &Stage, run: RunId, killed: &[Killed]) {
    let mut slowest = TimeDelta::zero();
    for Killed { name, at } in killed {
        let next = audit::next_progress(stage.pool(), run, name, *at).await;
        let took = next.expect("the run went on") - at;
        assert!(took <= LEASE + TimeDelta::seconds(5), "the takeover from {name} took {took}");
        slowest = slowest.max(took);
    }
    println!("the slowest takeover took {} ms", slowest.num_milliseconds());
}
