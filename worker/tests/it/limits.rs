//! Waits: rate limits, sleeps and record limits cost no attempt, leave nothing in processing, and
//! are waited for once.

use std::time::Duration;

use chrono::{DateTime, Utc};
use shared::domain::{DelayReason, RunState, StreamState};
use shared::sdk::{Registry, SyncError};
use sqlx::PgPool;

use crate::stage::Stage;
use crate::toy::{Output, Platform, RationedToy, Toy, comments, page, pages};

fn limited(seconds: u64) -> SyncError {
    SyncError::RateLimited { retry_after: Duration::from_secs(seconds) }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_rate_limited_stream_waits_and_keeps_its_attempts(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| match asked.before {
        0..20 => Err(limited(600)),
        _ => Ok(comments(asked, 1)),
    });
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (_, run) = stage.connect("toy").await;

    stage.work().await;

    let waiting = stage.run(run).await;
    assert_eq!(
        (waiting.state, waiting.delay_reason),
        (RunState::Delayed, Some(DelayReason::RateLimit))
    );
    let wait = waiting.delayed_until.unwrap() - stage.clock.now();
    assert!((599..=600).contains(&wait.num_seconds()), "{wait}");
    assert_eq!(stage.count(run, StreamState::Processing).await, 0);
    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
    assert_eq!(platform.asked(), 21, "far more refusals than there are attempts");
    assert_eq!(stage.streams(run).await[0].attempts, 0);
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stream_over_its_quota_waits_for_its_turn_and_keeps_its_attempts(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| match asked.before {
        0..20 => {
            let retry_after = Duration::from_secs(600);
            Err(SyncError::OverQuota { class: "lists".into(), retry_after })
        }
        _ => Ok(comments(asked, 1)),
    });
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (_, run) = stage.connect("toy").await;

    stage.work().await;

    let waiting = stage.run(run).await;
    assert_eq!(
        (waiting.state, waiting.delay_reason),
        (RunState::Delayed, Some(DelayReason::Quota))
    );
    let wait = waiting.delayed_until.unwrap() - stage.clock.now();
    assert!((599..=600).contains(&wait.num_seconds()), "{wait}");
    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
    assert_eq!(stage.streams(run).await[0].attempts, 0);
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_rate_limit_in_preprocess_or_streams_delays_and_resumes(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(comments(asked, 1)));
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    for _ in 0..6 {
        platform.fail_preprocess(limited(60));
        platform.fail_listing(limited(60));
    }
    let (integration, run) = stage.connect("toy").await;

    stage.work().await;
    assert_eq!(stage.run(run).await.delay_reason, Some(DelayReason::RateLimit));
    assert_eq!(stage.store.integration(integration).await.unwrap().unwrap().onboarded_at, None);

    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
    assert_eq!(stage.activities().await, ["news-1-0"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_delayed_run_is_sent_once_and_only_when_its_time_has_come(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| match asked.before {
        0 => Err(limited(3600)),
        _ => Ok(comments(asked, 1)),
    });
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (_, run) = stage.connect("toy").await;
    stage.work().await;

    for _ in 0..59 {
        assert_eq!(stage.sweep().await, 0, "not before its time");
        stage.clock.advance(Duration::from_secs(60));
    }
    stage.clock.advance(Duration::from_secs(60));
    assert_eq!(stage.sweep().await, 1);
    assert_eq!(stage.sweep().await, 0, "and once");
    stage.deliver().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_page_that_asks_for_sleep_is_committed_and_the_run_rests(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| {
        let sleep = (asked.page == 1).then_some(Duration::from_secs(90));
        Ok(Output { sleep, ..pages(asked, 2, 1) })
    });
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (_, run) = stage.connect("toy").await;

    stage.work().await;

    let resting = stage.run(run).await;
    assert_eq!(
        (resting.state, resting.delay_reason),
        (RunState::Delayed, Some(DelayReason::Sleep))
    );
    assert_eq!(stage.activities().await, ["news-1-0"], "what came with the sleep is stored");
    assert_eq!(stage.count(run, StreamState::Processing).await, 0);
    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
    assert_eq!(platform.asked(), 2, "the page that slept is not read again");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_wait_of_fifty_years_is_a_day_and_one_of_nothing_a_second(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| match asked.before {
        0 => Err(limited(1_700_000_000)),
        1 => Err(limited(0)),
        _ => Ok(comments(asked, 1)),
    });
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (_, run) = stage.connect("toy").await;

    stage.work().await;
    let until = stage.run(run).await.delayed_until.unwrap();
    assert!(until <= stage.clock.now() + Duration::from_secs(24 * 3600));

    stage.clock.turn_to(until);
    stage.work().await;
    assert!(stage.run(run).await.delayed_until.unwrap() > stage.clock.now(), "no hot loop");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn the_record_limit_is_shared_persists_and_an_onboarding_gets_its_share(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(pages(asked, 4, 2)));
    let stage = Stage::set(pool, Registry::default().with(RationedToy(platform.clone()))).await;
    let (_, onboarding) = stage.connect("rationed_toy").await;
    let (other, other_onboarding) = stage.connect("rationed_toy").await;

    stage.work().await;

    let window_ends: DateTime<Utc> = "2024-05-01T13:00:00Z".parse().unwrap();
    // Half of ten records: the third page reaches it, and nobody of this kind goes on.
    assert_eq!(platform.asked(), 3);
    for run in [onboarding, other_onboarding] {
        let run = stage.run(run).await;
        assert_eq!((run.state, run.delay_reason), (RunState::Delayed, Some(DelayReason::Quota)));
        let early = window_ends - run.delayed_until.unwrap();
        assert!(early.num_milliseconds() < 1_000, "it waits for the window's end");
        assert_eq!(stage.count(run.id, StreamState::Processing).await, 0);
    }

    // A check of the same kind still has the other half.
    sqlx::query(
        "update integration_runs set onboarding = false, state = 'pending', delayed_until = null, \
                 delay_reason = null, send_at = $2 where id = $1",
    )
    .bind(other_onboarding.0)
    .bind(stage.clock.now())
    .execute(stage.store.pool())
    .await
    .unwrap();
    stage.work().await;
    assert!(platform.asked() > 3, "a check is not starved by onboardings");
    assert!(stage.runs(other).await[0].mode == shared::domain::RunMode::Check);

    assert_eq!(stage.work_until_ended(onboarding).await.state, RunState::Processed);
    assert_eq!(stage.work_until_ended(other_onboarding).await.state, RunState::Processed);
    stage.check_invariants().await;
}
