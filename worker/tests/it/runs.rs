//! A run from being asked for to its end.

use shared::domain::{RequestedBy, RunMode, RunState, StreamState};
use sqlx::PgPool;

use crate::stage::Stage;
use crate::toy::{Output, Platform, comments, page, pages};

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_onboarding_reads_every_page_once_and_stores_every_record(pool: PgPool) {
    let platform =
        Platform::new([page("news", 1), page("help", 1)], |asked| Ok(pages(asked, 3, 5)));
    let (stage, integration, run) = Stage::with_toy(pool, &platform).await;

    stage.work().await;

    let run = stage.run(run).await;
    assert_eq!((run.state, run.mode), (RunState::Processed, RunMode::Onboarding));
    assert_eq!(platform.asked(), 6);
    assert_eq!(stage.activities().await.len(), 30);
    let integration = stage.store.integration(integration).await.unwrap().unwrap();
    assert_eq!(integration.onboarded_at, run.processed_at);
    assert!(stage.queue.bodies().is_empty(), "the message is acknowledged");
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn duplicate_triggers_create_one_run(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, integration, run) = Stage::with_toy(pool, &platform).await;

    let (again, other) = tokio::join!(
        stage.store.request_run(integration, RunMode::Onboarding, RequestedBy::Api),
        stage.store.request_run(integration, RunMode::Check, RequestedBy::Api),
    );
    let (again, other) = (again.unwrap().unwrap(), other.unwrap().unwrap());

    assert!(again.joined && again.run == run && !again.onboarding_follows);
    assert!(other.joined && other.run == run && !other.onboarding_follows);
    stage.work().await;
    assert_eq!(stage.runs(integration).await.len(), 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_onboarding_asked_for_during_a_check_follows_it(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, integration, _) = Stage::with_toy(pool, &platform).await;
    stage.work().await;
    let check = stage.store.request_run(integration, RunMode::Check, RequestedBy::Api).await;
    let check = check.unwrap().unwrap();

    for _ in 0..2 {
        let onboarding =
            stage.store.request_run(integration, RunMode::Onboarding, RequestedBy::Api).await;
        let onboarding = onboarding.unwrap().unwrap();
        assert!(onboarding.joined && onboarding.onboarding_follows);
        assert_eq!(onboarding.run, check.run);
    }
    stage.work().await;

    let runs = stage.runs(integration).await;
    let modes: Vec<_> = runs.iter().rev().map(|run| (run.mode, run.state)).collect();
    let processed = |mode| (mode, RunState::Processed);
    assert_eq!(
        modes,
        [RunMode::Onboarding, RunMode::Check, RunMode::Onboarding].map(processed),
        "one onboarding follows, however often it was asked for"
    );
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stream_is_added_once_however_often_it_is_mentioned(pool: PgPool) {
    let platform = Platform::new([page("news", 1), page("news", 1)], |asked| {
        let new_streams = vec![page("author", 7), page("author", 7), page("news", 1)];
        Ok(Output { new_streams, ..comments(asked, 1) })
    });
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;

    stage.work().await;

    assert_eq!(stage.count(run, StreamState::Processed).await, 2);
    assert_eq!(platform.asked(), 2);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn the_stop_rule_receives_the_real_records_and_the_real_timestamp(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(pages(asked, 3, 4)));
    let (stage, integration, _) = Stage::with_toy(pool, &platform).await;
    stage.work().await;
    assert_eq!(platform.asked(), 3, "an onboarding never stops early");

    // The records are of noon; two hours later a check stops at its first page.
    stage.clock.advance(std::time::Duration::from_secs(2 * 3600));
    stage
        .post(&serde_json::json!({"type": "integration_process", "integrationId": integration}))
        .await;
    stage.work().await;

    let (records, last) = platform.seen_by_stop_rule().pop().unwrap();
    assert_eq!(records, 4);
    let last = last.unwrap();
    assert_eq!(
        (last.id.as_str(), last.at.to_rfc3339().as_str()),
        ("news-1-3", "2024-05-01T12:00:00+00:00")
    );
    assert_eq!(platform.asked(), 4);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn settings_edited_during_a_run_survive_it_and_state_is_remembered(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, integration, run) = Stage::with_toy(pool, &platform).await;
    stage.sweep().await;
    platform.close();
    let work = tokio::spawn({
        let (worker, message) = (stage.worker.clone(), stage.receive().await.unwrap());
        async move { worker::dispatch(&worker, message, &worker::Shutdown::default()).await }
    });
    platform.until_asked(1).await;

    let change = shared::store::IntegrationChange {
        settings: Some(serde_json::json!({"forum": "edited"})),
        ..Default::default()
    };
    stage.store.change_integration(integration, &change).await.unwrap();
    platform.open();
    work.await.unwrap();

    assert_eq!(stage.run(run).await.state, RunState::Processed);
    let settings = stage.store.integration(integration).await.unwrap().unwrap().settings;
    assert_eq!(settings, serde_json::json!({"forum": "edited"}));
    let state: serde_json::Value = sqlx::query_scalar("select state from integrations")
        .fetch_one(stage.store.pool())
        .await
        .unwrap();
    assert_eq!(state, serde_json::json!({"runs": 1}));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn running_twice_gives_the_same_records(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(pages(asked, 2, 5)));
    let (stage, integration, _) = Stage::with_toy(pool, &platform).await;
    stage.work().await;
    let (before, written) = (stage.activities().await, last_written(&stage).await);

    stage.clock.advance(std::time::Duration::from_secs(60));
    stage
        .post(&serde_json::json!({"type": "integration_process", "integrationId": integration, "onboarding": true}))
        .await;
    stage.work().await;

    assert_eq!(platform.asked(), 4);
    assert_eq!(stage.activities().await, before);
    assert_eq!(last_written(&stage).await, written, "a row that says nothing new is not written");
}

async fn last_written(stage: &Stage) -> chrono::DateTime<chrono::Utc> {
    sqlx::query_scalar(
        "select greatest((select max(updated_at) from activities), (select max(updated_at) from members))",
    )
    .fetch_one(stage.store.pool())
    .await
    .unwrap()
}
