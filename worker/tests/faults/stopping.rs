//! Workers told to stop (SIGTERM) in the middle of their work, as in every deployment: they end in
//! time and in good order, and nothing counts as a failure.

use std::time::Duration;

use sandbox::devto::{Community, Fault};
use sqlx::PgPool;

use crate::harness::{Service, Stage, Stopwatch, until};

const SOON: Duration = Duration::from_secs(20);
/// What the documentation promises.
const IN_TIME: Duration = Duration::from_secs(10);

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_worker_told_to_stop_between_slow_pages_finishes_them(pool: PgPool) {
    let stage = Stage::set(pool, Community::realistic(29, 40, 120)).await;
    stage.devto.set_latency(Duration::from_millis(700));
    let _generator = stage.generator().start().await;
    let worker = stage.worker().start().await;
    stage.connect().await;
    stage.devto.until_requested("/api/comments").await;

    stop(worker).await;
    let pages = stage.count("integration_streams where state = 'processed'").await as u64;
    assert_eq!(stage.devto.request_count(), pages, "a page was fetched in vain");
    stage.devto.set_latency(Duration::ZERO);
    let _successor = stage.worker().start().await;
    check_nothing_burned(&stage).await;
    assert_eq!(stage.devto.request_count() as i64, stage.count("integration_streams").await);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_worker_told_to_stop_gives_back_a_page_that_hangs(pool: PgPool) {
    let stage = Stage::set(pool, Community::realistic(29, 40, 120)).await;
    stage.devto.misbehave("/api/comments", 1, Fault::Hang);
    let _generator = stage.generator().start().await;
    let worker = stage.worker().start().await;
    stage.connect().await;
    // One hangs, and everything else is done.
    until("all pages but one", SOON, async || {
        let left = stage.count("integration_streams where state <> 'processed'").await;
        let hangs = stage.devto.requests().iter().any(|request| request.asks_for("/api/comments"));
        (left == 1 && hangs).then_some(())
    })
    .await;

    stop(worker).await;
    assert_eq!(stage.count("integration_streams where state = 'pending'").await, 1);
    let _successor = stage.worker().start().await;
    check_nothing_burned(&stage).await;
    assert_eq!(stage.devto.request_count() as i64, stage.count("integration_streams").await + 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn five_rolling_restarts_under_load_change_nothing(pool: PgPool) {
    let mut watch = Stopwatch::start();
    let stage = Stage::set(pool, Community::realistic(31, 100, 300)).await;
    stage.devto.set_latency(Duration::from_millis(100));
    let _generator = stage.generator().start().await;
    let mut workers = vec![stage.worker().start().await, stage.worker().start().await];
    for _ in 0..3 {
        stage.connect().await;
    }
    for restart in 0..5 {
        for _ in 0..2 {
            stage.devto.clear_requests();
            stage.devto.until_requested("/api/").await;
            stop(workers.remove(0)).await;
            workers.push(stage.worker().start().await);
        }
        let live = stage.count("integration_runs where processed_at is null").await;
        assert!(live > 0, "the load was gone after {restart} restarts");
    }
    watch.part("ten workers replaced");
    stage.devto.set_latency(Duration::ZERO);
    check_nothing_burned(&stage).await;
    watch.part("the rest");
}

/// SIGTERM: it exits with 0, in time.
async fn stop(worker: Service) {
    let name = worker.name.clone();
    let (status, took) = worker.terminate(IN_TIME).await;
    println!("{name} stopped within {:.1} s", took.as_secs_f64());
    assert!(status.success(), "{name} ended with {status}");
}

/// Everything comes to a good end, and no attempt and no crash was counted on the way.
async fn check_nothing_burned(stage: &Stage) {
    stage.check().await;
    assert_eq!(stage.count("integration_streams where attempts + crashes > 0").await, 0);
    assert_eq!(stage.count("integration_runs where attempts + crashes > 0").await, 0);
}
