//! Workers that stop without a word: their runs are taken over, and given up if they kill.

use std::time::Duration;

use serde_json::json;
use shared::domain::{RawStream, RunId, RunState, Stream};
use shared::sdk::SyncError;
use shared::store::{Claimed, Page, PageSource, StoreError};
use sqlx::PgPool;

use crate::stage::Stage;
use crate::toy::{Asked, Platform, comments, page};

/// Of the dead.
const LEASE: Duration = Duration::from_secs(30);

async fn claim(stage: &Stage, run: RunId) -> Claimed {
    stage.store.claim_run(run, "dead", LEASE).await.unwrap().expect("nobody else has it")
}

fn let_lease_end(stage: &Stage) {
    stage.clock.advance(LEASE + Duration::from_secs(1));
}

/// A worker claims the run and dies with no stream in hand.
async fn die_over(stage: &Stage, run: RunId) {
    claim(stage, run).await;
    let_lease_end(stage);
}

/// The lease of a worker that has stopped without a word.
async fn abandoned(stage: &Stage, run: RunId) -> (Claimed, Vec<Stream>) {
    let claimed = claim(stage, run).await;
    if !claimed.listed {
        let stream = RawStream {
            name: "page".into(),
            payload: json!({"stream": "page", "list": "news", "page": 1}),
        };
        stage.store.list_streams(claimed.lease, &[stream], 0).await.unwrap();
    }
    let mut taken = stage.store.take_streams(claimed.lease, 10, false).await.unwrap();
    taken.extend(stage.store.take_streams(claimed.lease, 10, true).await.unwrap());
    (claimed, taken)
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_abandoned_run_is_taken_over_when_its_lease_ends_and_the_stale_worker_writes_nothing(
    pool: PgPool,
) {
    let platform = Platform::with_news();
    let (stage, integration, run) = Stage::with_toy(pool, &platform).await;
    let (stale, taken) = abandoned(&stage, run).await;

    assert_eq!(stage.sweep().await, 0, "while the lease lasts nobody is told");
    let_lease_end(&stage);
    stage.work().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);

    // The stale worker wakes up with a page in hand.
    let written = stage.activities().await;
    let source =
        PageSource { lease: stale.lease, stream: taken[0].id, tenant: stage.tenant, integration };
    let asked = Asked { list: "stale".into(), page: 1, before: 0 };
    let page = Page { operations: comments(&asked, 3).operations, ..Page::default() };
    let lost = |result: Result<(), StoreError>| matches!(result, Err(StoreError::LeaseLost));
    assert!(lost(stage.store.commit_page(source, &page).await));
    assert!(lost(stage.store.hand_back(stale.lease).await));
    assert!(lost(stage.store.finish_run(stale.lease, None, 0).await.map(drop)));
    assert_eq!(stage.activities().await, written);
    assert_eq!(stage.run(run).await.state, RunState::Processed);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stream_that_kills_its_worker_three_times_is_parked_and_its_siblings_go_on(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    for _ in 0..3 {
        let (_, taken) = abandoned(&stage, run).await;
        assert_eq!(taken.len(), 1);
        let_lease_end(&stage);
    }

    let run = stage.work_until_ended(run).await;

    assert_eq!(run.state, RunState::Error);
    assert!(run.error.unwrap().contains("its worker died 3 times while stepping it"));
    assert_eq!(platform.asked(), 0, "it kills nobody any more");
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn dead_workers_are_counted_in_a_row_and_not_over_a_streams_long_life(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| match asked.before {
        0..4 => Err(SyncError::RateLimited { retry_after: Duration::from_secs(60) }),
        _ => Ok(comments(asked, 1)),
    });
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    for waits in 1..=4 {
        abandoned(&stage, run).await;
        let_lease_end(&stage);
        stage.work().await;
        assert_eq!(platform.asked(), waits);
        stage.clock.advance(Duration::from_secs(60));
    }

    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_whose_beginning_kills_three_workers_is_given_up(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    for _ in 0..3 {
        die_over(&stage, run).await;
    }

    let run = stage.work_until_ended(run).await;

    assert_eq!(run.error.as_deref(), Some("its worker died 3 times while beginning or closing it"));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_whose_end_kills_three_workers_is_given_up(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    platform.fail_postprocess(SyncError::RateLimited { retry_after: Duration::from_secs(60) });
    stage.work().await;
    stage.clock.advance(Duration::from_secs(60));
    for _ in 0..3 {
        die_over(&stage, run).await;
    }

    let run = stage.work_until_ended(run).await;

    assert_eq!(run.error.as_deref(), Some("its worker died 3 times while beginning or closing it"));
    assert_eq!(stage.activities().await, ["news-1-0"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn deaths_over_a_run_are_counted_in_a_row_and_not_over_a_long_life(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| match asked.before {
        0..5 => Err(SyncError::RateLimited { retry_after: Duration::from_secs(600) }),
        _ => Ok(comments(asked, 1)),
    });
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    while platform.asked() < 5 {
        stage.work().await;
        stage.clock.turn_to(stage.run(run).await.delayed_until.expect("it waits"));
        // Innocent, each time: its machine is taken away.
        die_over(&stage, run).await;
    }

    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
}
