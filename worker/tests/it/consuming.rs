//! A worker as it runs in production: receiving by itself, as many messages as it has slots, until
//! it is told to stop.

use std::time::Duration;

use serde_json::json;
use shared::domain::RunState;
use shared::sdk::Registry;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker::{Settings, consume};

use crate::log::Log;
use crate::stage::Stage;
use crate::toy::{Platform, Toy};

/// Consumes in the background, with so many slots, until the token is cancelled.
fn begin(stage: &Stage, runs: usize) -> (JoinHandle<()>, CancellationToken) {
    let grace = Duration::from_millis(10);
    let worker = stage.worker_set_to(Settings { runs, grace, ..stage.worker.settings.clone() });
    let stop = CancellationToken::new();
    (tokio::spawn(consume(worker, stop.clone())), stop)
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_worker_takes_as_many_runs_as_it_has_slots_and_the_next_when_one_is_free(pool: PgPool) {
    let platform = Platform::with_news();
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    for _ in 0..3 {
        stage.connect("toy").await;
    }
    stage.sweep().await;
    platform.close();
    let (worker, stop) = begin(&stage, 2);

    platform.until_asked(2).await;
    assert_eq!(platform.asked(), 2, "the third waits for a slot");
    platform.open();
    platform.until_asked(3).await;

    stop.cancel();
    worker.await.unwrap();
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn while_the_database_does_not_answer_no_message_is_used_up(pool: PgPool) {
    let log = Log::default();
    let _logging = log.begin();
    let platform = Platform::with_news();
    let (stage, integration, run) = Stage::with_toy(pool, &platform).await;
    stage.work().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);
    let trigger = json!({"type": "integration_process", "integrationId": integration});
    let rename = async |from: &str, to: &str| {
        let rename = format!("alter table {from} rename to {to}");
        sqlx::query(sqlx::AssertSqlSafe(rename)).execute(stage.store.pool()).await.unwrap();
    };
    for table in ["integration_runs", "_sqlx_migrations"] {
        rename(table, &format!("{table}_away")).await;
    }
    for _ in 0..3 {
        stage.post(&trigger).await;
    }
    let (worker, stop) = begin(&stage, 1);

    log.until("nothing is received in this slot until the database answers").await;
    assert_eq!(log.lines_with("a message is left for later").len(), 1);
    for table in ["integration_runs", "_sqlx_migrations"] {
        rename(&format!("{table}_away"), table).await;
    }
    log.until("a run was asked for").await;

    stop.cancel();
    worker.await.unwrap();
    assert_eq!(log.lines_with("a message is left for later").len(), 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_worker_that_is_told_to_stop_hands_back_whatever_hangs_and_ends(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, _, in_a_page) = Stage::with_toy(pool, &platform).await;
    stage.sweep().await;
    platform.close();
    let (worker, stop) = begin(&stage, 2);
    platform.until_asked(1).await;
    let (_, beginning) = stage.connect("toy").await;
    platform.hang_in_preprocess();
    stage.sweep().await;
    platform.until_hanging(1).await;

    stop.cancel();
    worker.await.unwrap();

    for run in [in_a_page, beginning] {
        let run = stage.run(run).await;
        assert_eq!((run.state, run.attempts), (RunState::Pending, 0));
    }
    stage.check_invariants().await;
}
