//! What messages ask for, and what becomes of those that ask for nothing sensible.

use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use shared::domain::{IntegrationId, RunId, RunState, StreamId};
use shared::message::Message;
use shared::queue::Queue;
use shared::sdk::Registry;
use sqlx::PgPool;

use crate::log::Log;
use crate::stage::Stage;
use crate::toy::{Platform, Toy, comments, page};

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_cannot_be_understood_is_a_dead_letter_with_a_reason_and_its_siblings_are_unaffected(
    pool: PgPool,
) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let log = Log::default();
    let _logging = log.begin();
    let (stage, _, run) = Stage::with_toy(pool, &Platform::with_news()).await;
    let unknown = (RunId::new(), StreamId::new(), IntegrationId::new());
    let bodies = [
        "not json at all".to_owned(),
        json!({"type": "make_coffee"}).to_string(),
        json!({"type": "integration_process", "runId": "7"}).to_string(),
        json!({"type": "integration_process"}).to_string(),
        json!({"type": "integration_process", "runId": unknown.0}).to_string(),
        json!({"type": "integration_process", "runId": run, "streamId": unknown.1}).to_string(),
        json!({"type": "integration_process", "integrationId": unknown.2}).to_string(),
        "x".repeat(1_000_000),
    ];
    for body in &bodies {
        stage.post_text(body).await;
    }

    stage.work().await;

    assert_eq!(stage.run(run).await.state, RunState::Processed);
    let dead = stage.queue.dead_letters(10).await.unwrap();
    assert_eq!(dead.len(), bodies.len());
    for (reason, body) in [
        ("expected ident", &bodies[0]),
        ("unknown variant `make_coffee`", &bodies[1]),
        ("UUID", &bodies[2]),
        ("either a runId or an integrationId", &bodies[3]),
        ("there is no run", &bodies[4]),
        ("there is no stream", &bodies[5]),
        ("there is no integration", &bodies[6]),
        ("1000000 bytes", &bodies[7]),
    ] {
        let letter = dead.iter().find(|letter| letter.body == *body).unwrap();
        let said = letter.reason.as_deref().unwrap();
        assert!(said.contains(reason), "{said}");
        assert_eq!(log.lines_with(&format!("a message goes to the dead letters: {said}")).len(), 1);
    }
    assert!(stage.queue.bodies().is_empty());
    let counted = recorder.handle().render();
    for (reason, times) in [("invalid", 5), ("unknown", 3)] {
        let line = format!("dead_letters_total{{reason=\"{reason}\"}} {times}");
        assert!(counted.contains(&line), "no {line} in {counted}");
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_message_posted_by_hand_starts_a_run_or_joins_the_live_one(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, integration, _) = Stage::with_toy(pool, &platform).await;
    stage.work().await;

    let start = json!({"type": "integration_process", "integrationId": integration, "onboarding": true, "more": 1});
    for _ in 0..3 {
        stage.post(&start).await;
    }
    stage.queue.receive(3, std::time::Duration::ZERO).await.unwrap();
    // All three are in the air at once, then come again.
    stage.clock.advance(std::time::Duration::from_secs(120));
    let first = stage.receive().await.unwrap();
    worker::dispatch(&stage.worker, first, &worker::Shutdown::default()).await;
    let live = stage.runs(integration).await[0].id;
    for _ in 0..2 {
        let message = stage.receive().await.unwrap();
        worker::dispatch(&stage.worker, message, &worker::Shutdown::default()).await;
    }
    stage.work().await;

    assert_eq!(stage.run(live).await.state, RunState::Processed);
    assert!(stage.runs(integration).await.len() <= 3);
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_message_about_a_finished_run_is_acknowledged_and_changes_nothing(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    stage.work().await;

    stage.post(&json!({"type": "integration_process", "runId": run})).await;
    stage.deliver().await;

    assert_eq!(platform.asked(), 1);
    assert!(
        stage.queue.bodies().is_empty() && stage.queue.dead_letters(1).await.unwrap().is_empty()
    );
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_message_that_names_a_stream_steps_exactly_that_one_again(pool: PgPool) {
    let platform = Platform::new([page("a", 1), page("b", 1)], |asked| Ok(comments(asked, 1)));
    let (stage, integration, run) = Stage::with_toy(pool, &platform).await;
    stage.work().await;
    let a =
        stage.streams(run).await.into_iter().find(|stream| stream.payload["list"] == "a").unwrap();

    stage.post(&json!({"type": "integration_process", "runId": run, "streamId": a.id})).await;
    stage.deliver().await;

    assert_eq!((platform.asked_for(&page("a", 1)), platform.asked_for(&page("b", 1))), (2, 1));
    assert_eq!(stage.run(run).await.state, RunState::Processed);

    // While another run of the integration is live, an ended one cannot be.
    stage.post(&json!({"type": "integration_process", "integrationId": integration})).await;
    let start = stage.receive().await.unwrap();
    worker::dispatch(&stage.worker, start, &worker::Shutdown::default()).await;
    stage.queue.purge();
    stage.post(&json!({"type": "integration_process", "runId": run, "streamId": a.id})).await;
    stage.deliver().await;
    let reason = stage.queue.dead_letters(1).await.unwrap().remove(0).reason.unwrap();
    assert!(reason.contains("is live"), "{reason}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_message_that_names_a_stream_is_gone_before_that_is_stepped(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    stage.work().await;
    let stream = stage.streams(run).await.remove(0).id;

    stage.post(&json!({"type": "integration_process", "runId": run, "streamId": stream})).await;
    let named = stage.receive().await.unwrap();
    worker::dispatch(&stage.worker, named, &worker::Shutdown::default()).await;

    // However often what is left comes, it steps nothing that was stepped.
    let left = Message::Process { run, stream: None }.encode();
    assert_eq!((platform.asked(), stage.queue.bodies()), (1, vec![left.clone()]));
    stage.post_text(&left).await;
    stage.deliver().await;
    assert_eq!(platform.asked(), 2);
    assert_eq!(stage.run(run).await.state, RunState::Processed);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_lost_message_is_sent_again_less_and_less_often(pool: PgPool) {
    let (stage, _, run) = Stage::with_toy(pool, &Platform::with_news()).await;

    let mut sent_after = Vec::new();
    for minute in 0..40 {
        if stage.sweep().await > 0 {
            sent_after.push(minute);
        }
        stage.queue.purge();
        stage.clock.advance(std::time::Duration::from_secs(60));
    }
    assert_eq!(sent_after, [0, 1, 3, 7, 15, 30]);

    stage.clock.advance(std::time::Duration::from_secs(900));
    stage.work().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn two_messages_of_one_millisecond_are_both_delivered(pool: PgPool) {
    let (stage, _, first) = Stage::with_toy(pool, &Platform::with_news()).await;
    let (_, second) = stage.connect("toy").await;

    assert_eq!(stage.sweep().await, 2, "the clock stands still: one instant, one tenant");
    stage.deliver().await;

    assert_eq!(stage.run(first).await.state, RunState::Processed);
    assert_eq!(stage.run(second).await.state, RunState::Processed);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_unknown_kind_fails_its_run_and_says_which_are_known(pool: PgPool) {
    let stage = Stage::set(pool, Registry::default().with(Toy(Platform::with_news()))).await;
    let (_, run) = stage.connect("myspace").await;

    stage.work().await;

    let error = stage.run(run).await.error.unwrap();
    assert_eq!(error, "unknown integration `myspace` (registered: toy)");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn settings_that_do_not_decode_fail_the_run_and_name_the_field(pool: PgPool) {
    let (stage, integration, run) = Stage::with_toy(pool, &Platform::with_news()).await;
    sqlx::query("update integrations set settings = '{\"forum\": 7}' where id = $1")
        .bind(integration.0)
        .execute(stage.store.pool())
        .await
        .unwrap();

    stage.work().await;

    let run = stage.run(run).await;
    assert_eq!(run.state, RunState::Error);
    assert!(run.error.as_deref().unwrap().contains("settings of `toy`"), "{run:?}");
}
