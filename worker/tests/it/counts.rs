//! What a worker counts.

use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use shared::domain::RunState;
use shared::sdk::SyncError;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use worker::consume;

use crate::stage::Stage;
use crate::toy::Platform;

fn recorder() -> (PrometheusRecorder, PrometheusHandle) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let counted = recorder.handle();
    (recorder, counted)
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_is_counted_as_started_once_however_often_it_is_begun(pool: PgPool) {
    let (recorder, counted) = recorder();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let platform = Platform::with_news();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    platform.fail_listing(SyncError::RateLimited { retry_after: Duration::from_secs(60) });

    stage.work().await;
    assert!(!counted.render().contains("runs_started_total"), "its streams are not known yet");
    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);

    let text = counted.render();
    let line = r#"runs_started_total{kind="toy",mode="onboarding"} 1"#;
    assert!(text.contains(line), "{line} is missing in:\n{text}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn how_long_a_message_was_on_its_way_is_observed_when_it_is_first_received(pool: PgPool) {
    let (recorder, counted) = recorder();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let platform = Platform::with_news();
    let (stage, ..) = Stage::with_toy(pool, &platform).await;
    stage.sweep().await;
    stage.clock.advance(Duration::from_secs(90));
    let stop = CancellationToken::new();

    platform.close();
    let worker = tokio::spawn(consume(stage.worker.clone(), stop.clone()));
    platform.until_asked(1).await;
    platform.open();
    stop.cancel();
    worker.await.unwrap();

    let text = counted.render();
    for line in ["message_lag_seconds_sum 90", "message_lag_seconds_count 1"] {
        assert!(text.contains(line), "{line} is missing in:\n{text}");
    }
}
