//! Workers killed with SIGKILL, at random moments: each run is taken over in time, nothing is lost,
//! and hardly anything is done twice.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use rand::rngs::StdRng;
use sandbox::devto::Community;
use sqlx::PgPool;

use crate::harness::{Service, Stage, Stopwatch, audit, chance, pause};

const LEASE: TimeDelta = TimeDelta::seconds(1);
/// Of each page, so that the onboarding outlives the kills on the fastest machine.
const LATENCY: Duration = Duration::from_millis(200);

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn thirty_kills_cost_a_page_each_at_most_and_are_made_good_within_the_lease_and_five_seconds(
    pool: PgPool,
) {
    let stage = Stage::set(pool, community()).await;
    Kills { count: 30, streams: 1 }.happen(&stage).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn kills_between_three_pages_redo_three_each_at_the_most(pool: PgPool) {
    let stage = Stage::set(pool, community()).await;
    Kills { count: 10, streams: 3 }.happen(&stage).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn kills_amid_all_six_platforms_lose_nothing_and_no_access(pool: PgPool) {
    let stage = Stage::set_mixed(pool).await;
    Kills { count: 12, streams: 2 }.happen(&stage).await;
}

fn community() -> Community {
    Community::realistic(7, 200, 600)
}

struct Kills {
    count: u64,
    /// In flight at the same time.
    streams: u64,
}

/// A worker killed while it held a run.
struct Killed {
    name: String,
    at: DateTime<Utc>,
}

impl Kills {
    async fn happen(&self, stage: &Stage) {
        let mut watch = Stopwatch::start();
        stage.set_latency(LATENCY);
        stage.connect_all().await;
        let _generator = stage.generator().start().await;

        let (_alive, killed) = self.kill_workers(stage, chance()).await;
        watch.part(&format!("{} kills, {} of whoever held a run", self.count, killed.len()));
        stage.set_latency(Duration::ZERO);
        stage.check_again().await;
        watch.part("the rest");

        check_takeovers(stage, &killed).await;
        let pages = stage.pages_of_devto().await;
        let redone = stage.devto.request_count() - pages;
        println!("{pages} pages of dev.to, {redone} of them fetched again");
        assert!(redone <= self.streams * self.count, "{redone} pages were fetched again");
    }

    /// Two workers at any time: whoever is killed has a successor. Those who are left, and those who
    /// were killed over a run.
    async fn kill_workers(&self, stage: &Stage, mut rng: StdRng) -> (Vec<Service>, Vec<Killed>) {
        let mut alive = vec![self.worker(stage).await, self.worker(stage).await];
        let mut killed = Vec::new();
        for _ in 0..self.count {
            pause(Duration::from_millis(rng.random_range(100..1_200))).await;
            stage.live(&mut rng).await;
            let holders = holders(stage).await;
            let holds = |worker: &Service| holders.iter().any(|holder| worker.is(holder));
            let held = alive.iter().position(holds);
            let victim = alive.swap_remove(held.unwrap_or_else(|| rng.random_range(0..2)));
            if held.is_some() {
                killed.push(Killed { name: victim.name.clone(), at: Utc::now() });
            }
            stage.kill(victim).await;
            let live = stage.count("integration_runs where processed_at is null").await;
            assert!(live > 0, "the work is over before the kills are");
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

async fn holders(stage: &Stage) -> Vec<String> {
    let holders = "select lease_holder from integration_runs where lease_holder is not null";
    sqlx::query_scalar(holders).fetch_all(stage.pool()).await.expect("the holders")
}

/// After each kill somebody else went on with each run within the lease and five seconds.
async fn check_takeovers(stage: &Stage, killed: &[Killed]) {
    let mut slowest = TimeDelta::zero();
    for Killed { name, at } in killed {
        for (run, next) in audit::taken_over(stage.pool(), name, *at).await {
            let took = next.unwrap_or_else(|| panic!("run {run} went on")) - at;
            assert!(took <= LEASE + TimeDelta::seconds(5), "the takeover from {name} took {took}");
            slowest = slowest.max(took);
        }
    }
    println!("the slowest takeover took {} ms", slowest.num_milliseconds());
}
