//! What becomes of failures: again, never, and the truth about holes.

use std::time::Duration;

use anyhow::anyhow;
use serde_json::json;
use shared::domain::{DelayReason, IntegrationStatus, RunState, StreamState};
use shared::sdk::SyncError;
use shared::store::IntegrationChange;
use sqlx::PgPool;
use worker::Shutdown;

use crate::stage::Stage;
use crate::toy::{Platform, comments, page};

fn broken() -> SyncError {
    SyncError::Other(anyhow!("the platform is on fire"))
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stream_exhausted_by_five_attempts_is_a_run_in_error_while_the_others_finish(
    pool: PgPool,
) {
    let platform = Platform::new([page("bad", 1), page("good", 1)], |asked| match &*asked.list {
        "bad" => Err(broken()),
        _ => Ok(comments(asked, 3)),
    });
    let (stage, integration, run) = Stage::with_toy(pool, &platform).await;

    let run = stage.work_until_ended(run).await;

    assert_eq!(run.state, RunState::Error);
    assert_eq!(
        run.error.unwrap(),
        "1 of 2 streams failed; the first: page: the platform is on fire"
    );
    assert_eq!(platform.asked_for(&page("bad", 1)), 5, "five attempts in all");
    assert_eq!(platform.asked_for(&page("good", 1)), 1);
    assert_eq!(stage.activities().await.len(), 3);
    assert_eq!(platform.ended(), [(page("bad", 1), true), (page("good", 1), false)]);
    let integration = stage.store.integration(integration).await.unwrap().unwrap();
    assert_eq!(integration.status, IntegrationStatus::Active, "one bad run never stops polling");
    assert_eq!(integration.onboarded_at, None, "nobody says done over a hole");
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stream_that_fails_once_is_retried_on_its_own_time(pool: PgPool) {
    let platform = Platform::new([page("shy", 1), page("good", 1)], |asked| {
        match (&*asked.list, asked.before) {
            ("shy", 0) => Err(broken()),
            _ => Ok(comments(asked, 1)),
        }
    });
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;

    stage.work().await;

    let waiting = stage.run(run).await;
    assert_eq!(
        (waiting.state, waiting.delay_reason),
        (RunState::Delayed, Some(DelayReason::Retry))
    );
    let until = waiting.delayed_until.unwrap();
    assert!(until > stage.clock.now() && until <= stage.clock.now() + Duration::from_secs(5));
    stage.work().await;
    assert_eq!(platform.asked(), 2, "nothing is tried before its time");

    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
    assert_eq!(platform.asked_for(&page("good", 1)), 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stream_that_is_gone_for_good_is_not_tried_again(pool: PgPool) {
    let platform =
        Platform::new([page("gone", 1)], |_| Err(SyncError::Permanent(anyhow!("it is gone"))));
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;

    stage.work().await;

    assert_eq!(stage.run(run).await.state, RunState::Error);
    assert_eq!(platform.asked(), 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stream_that_panics_fails_alone(pool: PgPool) {
    let platform = Platform::new([page("bug", 1), page("good", 1)], |asked| match &*asked.list {
        "bug" => panic!("index out of bounds"),
        _ => Ok(comments(asked, 1)),
    });
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;

    let run = stage.work_until_ended(run).await;

    assert!(run.error.unwrap().contains("panicked: index out of bounds"));
    assert_eq!(stage.activities().await, ["good-1-0"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_exception_in_preprocess_or_streams_is_retried_and_then_a_failed_run(pool: PgPool) {
    let platform = Platform::with_news();
    for _ in 0..3 {
        platform.fail_preprocess(broken());
    }
    for _ in 0..2 {
        platform.fail_listing(broken());
    }
    let (stage, integration, run) = Stage::with_toy(pool, &platform).await;

    let failed = stage.work_until_ended(run).await;

    assert_eq!(
        (failed.state, failed.error.as_deref()),
        (RunState::Error, Some("the platform is on fire"))
    );
    assert_eq!(platform.asked(), 0);
    let integration = stage.store.integration(integration).await.unwrap().unwrap();
    assert_eq!((integration.status, integration.onboarded_at), (IntegrationStatus::Active, None));

    // It is on fire no more: the same run is continued and comes to a good end.
    stage.store.continue_run(run).await.unwrap();
    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_panic_in_preprocess_streams_or_postprocess_is_a_failure_like_any_other(pool: PgPool) {
    let platform = Platform::with_news();
    platform.panic_outside_of_streams();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;

    stage.work().await;

    let waiting = stage.run(run).await;
    assert_eq!((waiting.state, waiting.attempts), (RunState::Delayed, 1));
    assert_eq!(waiting.error.as_deref(), Some("the integration panicked: nobody thought of that"));
    assert!(stage.queue.bodies().is_empty(), "its message is dealt with");
    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_postprocess_that_always_fails_is_a_failed_run_in_the_end(pool: PgPool) {
    let platform = Platform::with_news();
    for _ in 0..5 {
        platform.fail_postprocess(broken());
    }
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;

    let run = stage.work_until_ended(run).await;

    assert_eq!(run.state, RunState::Error);
    assert_eq!(platform.asked(), 1, "no page is read again for it");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn failures_to_begin_are_counted_in_a_row_and_not_over_a_long_life(pool: PgPool) {
    // As an onboarding of a week: it waits often, and each time it goes on it begins anew.
    let platform = Platform::new([page("news", 1)], |asked| match asked.before {
        0..10 => Err(SyncError::RateLimited { retry_after: Duration::from_secs(600) }),
        _ => Ok(comments(asked, 1)),
    });
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;

    while platform.asked() < 10 {
        platform.fail_preprocess(broken());
        let asked = platform.asked();
        while platform.asked() == asked {
            stage.work().await;
            let now = stage.run(run).await;
            assert!(now.attempts <= 1, "{now:?}");
            stage.clock.turn_to(now.delayed_until.expect("it waits"));
        }
    }

    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn refused_credentials_stop_everything_until_reconnected(pool: PgPool) {
    let platform = Platform::new([page("secret", 1), page("good", 1)], |asked| {
        match (&*asked.list, asked.before) {
            ("secret", 0) => Err(SyncError::Unauthorized(anyhow!("token revoked"))),
            _ => Ok(comments(asked, 1)),
        }
    });
    let (stage, id, run) = Stage::with_toy(pool, &platform).await;

    stage.work().await;

    assert_eq!(stage.run(run).await.state, RunState::Error);
    assert_eq!(
        stage.count(run, StreamState::Pending).await,
        1,
        "the refused stream lost no attempt"
    );
    let integration = stage.store.integration(id).await.unwrap().unwrap();
    assert_eq!(integration.status, IntegrationStatus::NeedsReconnect);
    assert_eq!(integration.status_reason.as_deref(), Some("token revoked"));
    stage.post(&json!({"type": "integration_process", "integrationId": id})).await;
    let asked = platform.asked();
    stage.work().await;
    assert_eq!(platform.asked(), asked, "nothing is fetched until reconnected");

    let change = IntegrationChange { settings: Some(json!({})), ..Default::default() };
    stage.store.change_integration(id, &change).await.unwrap();
    let waiting = stage.runs(id).await[0].id;
    stage.clock.advance(Duration::from_secs(3600));
    assert_eq!(stage.work_until_ended(waiting).await.state, RunState::Processed);
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn credentials_refused_after_they_were_replaced_are_not_held_against_the_new_ones(
    pool: PgPool,
) {
    let platform = Platform::new([page("secret", 1)], |asked| match asked.before {
        0 => Err(SyncError::Unauthorized(anyhow!("token revoked"))),
        _ => Ok(comments(asked, 1)),
    });
    let (stage, id, run) = Stage::with_toy(pool, &platform).await;
    stage.sweep().await;
    let work = stage.start_page(&platform, &Shutdown::default()).await;

    let settings = Some(json!({"forum": "with another token"}));
    let change = IntegrationChange { settings, ..Default::default() };
    stage.store.change_integration(id, &change).await.unwrap();
    platform.open();
    work.await.unwrap();

    let integration = stage.store.integration(id).await.unwrap().unwrap();
    assert_eq!(integration.status, IntegrationStatus::Active);
    stage.deliver().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);
    assert_eq!(stage.streams(run).await[0].attempts, 0);
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn continuing_a_run_reads_what_failed_and_nothing_else(pool: PgPool) {
    let platform = Platform::new([page("bad", 1), page("good", 1)], |asked| {
        match (&*asked.list, asked.before) {
            ("bad", 0..5) => Err(broken()),
            _ => Ok(comments(asked, 1)),
        }
    });
    let (stage, integration, run) = Stage::with_toy(pool, &platform).await;
    assert_eq!(stage.work_until_ended(run).await.state, RunState::Error);

    stage.store.continue_run(run).await.unwrap();

    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
    assert_eq!(platform.asked_for(&page("bad", 1)), 6);
    assert_eq!(platform.asked_for(&page("good", 1)), 1);
    let integration = stage.store.integration(integration).await.unwrap().unwrap();
    assert!(integration.onboarded_at.is_some());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stored_stream_of_another_version_fails_alone(pool: PgPool) {
    let platform = Platform::new([page("news", 1), page("old", 1)], |asked| Ok(comments(asked, 1)));
    platform.close();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    // Stored by a version that had another kind of stream.
    platform.fail_preprocess(SyncError::RateLimited { retry_after: Duration::from_secs(1) });
    stage.work().await;
    platform.open();
    stage.clock.advance(Duration::from_secs(2));
    sqlx::query(
        "create function outdate() returns trigger language plpgsql as $$
         begin
             if new.payload->>'list' = 'old' then new.payload = '{\"stream\": \"threads\"}'; end if;
             return new;
         end $$",
    )
    .execute(stage.store.pool())
    .await
    .unwrap();
    sqlx::query("create trigger outdate before insert on integration_streams for each row execute function outdate()")
        .execute(stage.store.pool())
        .await
        .unwrap();

    let run = stage.work_until_ended(run).await;

    assert_eq!(run.state, RunState::Error);
    assert!(run.error.unwrap().contains("does not match this version"));
    assert_eq!(stage.activities().await, ["news-1-0"]);
}
