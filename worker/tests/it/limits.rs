//! Waits: rate limits, sleeps and record limits cost no attempt, leave nothing in processing, and
//! are waited for once.

use std::time::Duration;

use chrono::{DateTime, Utc};
use shared::domain::{DelayReason, RunId, RunState, StreamState};
use shared::sdk::{Registry, SyncError};
use sqlx::PgPool;

use crate::stage::Stage;
use crate::toy::{Output, Platform, RationedToy, Toy, comments, page, pages, reply};

fn limited(seconds: u64) -> SyncError {
    SyncError::RateLimited { retry_after: Duration::from_secs(seconds) }
}

fn over_quota(seconds: u64) -> SyncError {
    SyncError::OverQuota { class: "lists".into(), retry_after: Duration::from_secs(seconds) }
}

async fn assert_waits_ten_minutes(stage: &Stage, run: RunId, reason: DelayReason) {
    let waiting = stage.run(run).await;
    assert_eq!((waiting.state, waiting.delay_reason), (RunState::Delayed, Some(reason)));
    let wait = waiting.delayed_until.unwrap() - stage.clock.now();
    assert!((599..=600).contains(&wait.num_seconds()), "{wait}");
    assert_eq!(stage.count(run, StreamState::Processing).await, 0);
}

/// Is put off far more often than there are attempts.
async fn is_put_off_twenty_times(pool: PgPool, why: fn(u64) -> SyncError, reason: DelayReason) {
    let platform = Platform::new([page("news", 1)], move |asked| match asked.before {
        0..20 => Err(why(600)),
        _ => Ok(comments(asked, 1)),
    });
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;

    stage.work().await;

    assert_waits_ten_minutes(&stage, run, reason).await;
    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
    assert_eq!(platform.asked(), 21);
    assert_eq!(stage.streams(run).await[0].attempts, 0);
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_rate_limited_stream_waits_and_keeps_its_attempts(pool: PgPool) {
    is_put_off_twenty_times(pool, limited, DelayReason::RateLimit).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stream_over_its_quota_waits_for_its_turn_and_keeps_its_attempts(pool: PgPool) {
    is_put_off_twenty_times(pool, over_quota, DelayReason::Quota).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn while_streams_wait_for_their_quota_those_of_another_sort_go_on(pool: PgPool) {
    let pages_wait = |asked: &crate::toy::Asked| match (&*asked.list, asked.before) {
        ("pages", 0) => Err(over_quota(600)),
        ("replies", _) => Ok(Output {
            next_page: (asked.page < 30).then(|| reply("replies", asked.page + 1)),
            ..comments(asked, 1)
        }),
        _ => Ok(comments(asked, 1)),
    };
    let first = [page("pages", 1), page("pages", 2), reply("replies", 1)];
    let platform = Platform::new(first, pages_wait);
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;

    stage.work().await;

    assert_eq!(stage.activities().await.len(), 30, "all of the replies");
    assert_waits_ten_minutes(&stage, run, DelayReason::Quota).await;
    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
    assert!(stage.streams(run).await.iter().all(|stream| stream.attempts == 0));
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn of_many_streams_that_would_wait_for_the_same_only_a_few_ask(pool: PgPool) {
    // One request a minute.
    let served = std::sync::Mutex::new(0);
    let clock = std::sync::Arc::new(std::sync::OnceLock::<shared::clock::Clock>::new());
    let turned = std::sync::Arc::clone(&clock);
    let platform = Platform::new((0..1_000).map(|n| page("news", n)), move |asked| {
        let started: DateTime<Utc> = "2024-05-01T12:00:00Z".parse().unwrap();
        let allowed = (turned.get().unwrap().now() - started).num_minutes() + 1;
        let mut served = served.lock().unwrap();
        if *served >= allowed {
            return Err(over_quota(60));
        }
        *served += 1;
        Ok(comments(asked, 1))
    });
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    clock.set(stage.clock.clone()).unwrap();
    let (_, run) = stage.connect("toy").await;

    for minute in 1..=10 {
        let before = platform.asked();
        stage.work().await;
        assert!(platform.asked() - before <= 16, "{} of a thousand ask", platform.asked() - before);
        assert_eq!(stage.activities().await.len(), minute);
        let until = stage.run(run).await.delayed_until.expect("it waits");
        assert!(until > stage.clock.now(), "no hot loop");
        stage.clock.turn_to(until);
    }
    assert_eq!(stage.count(run, StreamState::Processing).await, 0);
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
async fn a_run_delayed_for_a_day_is_sent_once_when_its_time_has_come_and_by_no_chain_of_messages(
    pool: PgPool,
) {
    let platform = Platform::new([page("news", 1)], |asked| match asked.before {
        0 => Err(limited(24 * 3600)),
        _ => Ok(comments(asked, 1)),
    });
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    stage.work().await;

    for _ in 0..23 {
        assert_eq!(stage.sweep().await, 0, "not before its time");
        stage.clock.advance(Duration::from_secs(3600));
    }
    assert!(stage.queue.bodies().is_empty(), "nothing hops through the queue meanwhile");
    stage.clock.advance(Duration::from_secs(3600));
    assert_eq!(stage.sweep().await, 1);
    assert_eq!(stage.sweep().await, 0, "and once");
    stage.deliver().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_page_that_asks_for_sleep_is_committed_and_leaves_no_stream_in_processing(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| {
        let sleep = (asked.page == 1).then_some(Duration::from_secs(90));
        Ok(Output { sleep, ..pages(asked, 2, 1) })
    });
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;

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
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;

    stage.work().await;
    let until = stage.run(run).await.delayed_until.unwrap();
    assert!(until <= stage.clock.now() + Duration::from_secs(24 * 3600));

    stage.clock.turn_to(until);
    stage.work().await;
    assert!(stage.run(run).await.delayed_until.unwrap() > stage.clock.now(), "no hot loop");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_record_limit_is_shared_and_persists_and_reaching_it_leaves_no_stream_in_processing(
    pool: PgPool,
) {
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
