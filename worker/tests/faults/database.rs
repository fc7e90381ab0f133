//! PostgreSQL going away: the server crashes, every connection is terminated again and again, the
//! answer to a commit is lost. Processes neither end nor need to be restarted.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sandbox::devto::Community;
use sandbox::postgres::Cluster;
use sandbox::proxy::{Accident, Proxy};
use shared::store::MIGRATIONS;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::task::spawn_blocking;

use crate::harness::{Service, Stage, Stopwatch, chance, pause, until};

const SOON: Duration = Duration::from_secs(20);
/// Once PostgreSQL is back, work goes on within this time.
const RECOVERY: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_crash_of_postgres_is_waited_for_and_recovered_from() {
    let cluster = Own::start().await;
    let stage = Stage::set(cluster.pool.clone(), Community::realistic(17, 150, 500)).await;
    crashes(cluster, &stage).await;
}

#[tokio::test]
async fn a_crash_of_postgres_amid_all_six_platforms_is_recovered_from() {
    let cluster = Own::start().await;
    let stage = Stage::set_mixed(cluster.pool.clone()).await;
    crashes(cluster, &stage).await;
}

async fn crashes(mut cluster: Own, stage: &Stage) {
    let (mut watch, mut rng) = (Stopwatch::start(), chance());
    stage.set_latency(Duration::from_millis(60));
    stage.connect_all().await;
    let mut services = vec![stage.generator().start().await];
    services.push(stage.worker().start().await);
    services.push(stage.worker().start().await);
    until_more_pages(stage, SOON).await;
    watch.part("starting");

    // Shorter than the lease, then longer.
    for away in [Duration::ZERO, Duration::from_secs(4)] {
        stage.live(&mut rng).await;
        let live = stage.count("integration_runs where processed_at is null").await;
        assert!(live > 0, "the work is over too early");
        cluster.crash().await;
        join_all(services.iter().map(async |service| {
            service.until_missing("database", RECOVERY).await;
            assert_eq!(service.livez().await, Some(200), "{} lives", service.name);
        }))
        .await;
        pause(away).await;
        cluster.recover().await;
        let took = until_more_pages(stage, RECOVERY).await;
        join_all(services.iter().map(|service| service.until_ready(RECOVERY))).await;
        watch.part(&format!("a crash, after which the next page took {took:?}"));
    }

    stage.set_latency(Duration::ZERO);
    stage.check_again().await;
    check_nothing_burned(stage, &mut services).await;
    watch.part("the rest");
    drop(services);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn connections_terminated_again_and_again_burn_nothing(pool: PgPool) {
    let mut watch = Stopwatch::start();
    let stage = Stage::set(pool, Community::realistic(17, 100, 350)).await;
    stage.devto.set_latency(Duration::from_millis(30));
    stage.connect().await;
    let mut services = vec![stage.generator().start().await];
    services.push(stage.worker().start().await);
    services.push(stage.worker().start().await);
    until_more_pages(&stage, SOON).await;
    let mut terminated = 0;
    for _ in 0..20 {
        terminated += terminate_all(&stage).await;
        pause(Duration::from_millis(150)).await;
    }
    watch.part(&format!("{terminated} connections terminated"));

    until_more_pages(&stage, RECOVERY).await;
    stage.check().await;
    check_nothing_burned(&stage, &mut services).await;
    watch.part("the rest");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_commit_whose_answer_is_lost_is_neither_lost_nor_made_twice(pool: PgPool) {
    let mut watch = Stopwatch::start();
    let stage = Stage::set(pool, Community::realistic(17, 60, 200)).await;
    stage.devto.set_latency(Duration::from_millis(20));
    let proxy = Proxy::to(stage.database_address()).await.expect("a proxy");
    let worker = stage.with_database_at(stage.worker(), proxy.addr());
    let mut services = vec![stage.generator().start().await, worker.start().await];
    stage.connect().await;
    until_more_pages(&stage, SOON).await;

    let mut accidents = 0;
    for _ in 0..4 {
        for accident in [Accident::BeforeClientLearns, Accident::BeforeServerHears] {
            accidents += 1;
            proxy.arrange(accident(b"COMMIT".to_vec()));
            let what = format!("accident {accidents}");
            let happened = tokio::time::timeout(SOON, proxy.until_accidents(accidents));
            assert!(happened.await.is_ok(), "waited in vain for {what}");
            until_more_pages(&stage, RECOVERY).await;
        }
    }
    watch.part(&format!("{accidents} accidents"));
    stage.check().await;
    check_nothing_burned(&stage, &mut services).await;
    let pages = stage.count("integration_streams").await as u64;
    let redone = stage.devto.request_count() - pages;
    println!("{redone} of {pages} pages fetched again");
    assert!(redone <= accidents * 3, "{redone} pages fetched again after {accidents} accidents");
    watch.part("the rest");
}

/// A cluster of the test's own, to be mistreated.
struct Own {
    /// `None` while it is being started or stopped.
    cluster: Option<Cluster>,
    pool: PgPool,
}

impl Own {
    async fn start() -> Self {
        let (cluster, url) = spawn_blocking(|| {
            let cluster = Cluster::temporary()?;
            cluster.create_database("faults")?;
            let url = cluster.url("faults");
            anyhow::Ok((cluster, url))
        })
        .await
        .expect("no panic")
        .expect("a cluster");
        let pool = PgPoolOptions::new().max_connections(5).connect(&url).await.expect("a pool");
        MIGRATIONS.run(&pool).await.expect("the schema");
        // A throw-away cluster forgets what was committed last; whoever connects from now on is safe.
        let remembering = sqlx::query("alter database faults set synchronous_commit = on");
        remembering.execute(&pool).await.expect("a lasting database");
        Self { cluster: Some(cluster), pool }
    }

    async fn crash(&mut self) {
        self.change(Cluster::stop_immediately).await;
    }

    async fn recover(&mut self) {
        self.change(Cluster::start_again).await;
    }

    async fn change(&mut self, change: fn(&mut Cluster) -> anyhow::Result<()>) {
        let mut cluster = self.cluster.take().expect("nobody else changes it");
        let changed = spawn_blocking(move || change(&mut cluster).map(|()| cluster)).await;
        self.cluster = Some(changed.expect("no panic").expect("the cluster obeys"));
    }
}

/// Cuts off both services' connections; how many there were.
async fn terminate_all(stage: &Stage) -> i64 {
    let terminated = sqlx::query_scalar(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity
         where datname = current_database() and application_name = 'millrace'",
    );
    terminated.fetch_one(stage.pool()).await.expect("they are terminated")
}

/// Waits until more pages are committed than now; how long that took.
async fn until_more_pages(stage: &Stage, limit: Duration) -> Duration {
    let begun = Instant::now();
    let mut pages = None;
    until("another page to be committed", limit, async || {
        let processed = "select count(*) from integration_streams where state = 'processed'";
        let now: i64 = sqlx::query_scalar(processed).fetch_one(stage.pool()).await.ok()?;
        (now > *pages.get_or_insert(now)).then_some(())
    })
    .await;
    begun.elapsed()
}

/// All processes are those that were started, and no failure was counted against the platform.
async fn check_nothing_burned(stage: &Stage, services: &mut [Service]) {
    for service in services {
        assert!(service.runs(), "{} has ended", service.name);
    }
    assert_eq!(stage.count("integration_streams where attempts > 0").await, 0);
    assert_eq!(stage.count("integration_runs where attempts > 0").await, 0);
}
