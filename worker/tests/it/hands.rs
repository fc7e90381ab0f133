//! A run passing from hand to hand: handed back, paused, deleted, abandoned, taken over.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shared::domain::{RequestedBy, RunId, RunMode, RunState, StreamState};
use shared::sdk::{Registry, SyncError};
use shared::store::{Page, PageSource, StoreError};
use sqlx::PgPool;
use tokio::task::JoinHandle;
use worker::{Settings, Shutdown, Worker, dispatch};

use crate::stage::Stage;
use crate::toy::{Platform, Toy, comments, page, pages};

/// Starts work on the next message in the background.
async fn start(stage: &Stage, shutdown: &Shutdown) -> JoinHandle<()> {
    let (worker, shutdown) = (Arc::clone(&stage.worker), shutdown.clone());
    let message = stage.receive().await.expect("a message");
    tokio::spawn(async move { dispatch(&worker, message, &shutdown).await })
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_worker_that_is_told_to_stop_finishes_its_page_and_burns_no_attempt(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(pages(asked, 3, 1)));
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (_, run) = stage.connect("toy").await;
    stage.sweep().await;
    platform.close();
    let shutdown = Shutdown::default();
    let work = start(&stage, &shutdown).await;
    platform.until_asked(1).await;

    shutdown.soft.cancel();
    platform.open();
    work.await.unwrap();

    let handed_back = stage.run(run).await;
    assert_eq!((handed_back.state, handed_back.attempts), (RunState::Pending, 0));
    assert_eq!(stage.activities().await, ["news-1-0"], "the page in flight is committed");
    stage.deliver().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);
    assert_eq!(platform.asked(), 3, "no page is read twice");
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_page_that_hangs_is_let_go_when_the_grace_is_over(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(comments(asked, 1)));
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (_, run) = stage.connect("toy").await;
    stage.sweep().await;
    platform.close();
    let shutdown = Shutdown::default();
    let work = start(&stage, &shutdown).await;
    platform.until_asked(1).await;

    shutdown.soft.cancel();
    shutdown.hard.cancel();
    work.await.unwrap();

    let stream = stage.streams(run).await.remove(0);
    assert_eq!((stream.state, stream.attempts, stream.crashes), (StreamState::Pending, 0, 0));
    platform.open();
    stage.deliver().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_beginning_or_an_end_that_hangs_is_let_go_too_and_counts_as_nothing(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(comments(asked, 1)));
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (_, run) = stage.connect("toy").await;
    stage.sweep().await;
    platform.hang_in_preprocess();
    platform.hang_in_listing();
    platform.hang_in_postprocess();

    for hanging in 1..=3 {
        let shutdown = Shutdown::default();
        let work = start(&stage, &shutdown).await;
        platform.until_hanging(hanging).await;
        shutdown.soft.cancel();
        shutdown.hard.cancel();
        work.await.unwrap();

        let handed_back = stage.run(run).await;
        assert_eq!((handed_back.state, handed_back.attempts), (RunState::Pending, 0));
    }
    stage.deliver().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);
    assert_eq!(platform.asked(), 1);
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_long_run_is_handed_back_after_its_slice_so_that_others_get_their_turn(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(pages(asked, 5, 1)));
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let slice = Duration::ZERO;
    let settings = Settings { slice, ..stage.worker.settings.clone() };
    let worker = Worker {
        store: stage.store.clone(),
        queue: stage.worker.queue.clone(),
        registry: stage.worker.registry.clone(),
        vault: stage.worker.vault.clone(),
        ledger: stage.worker.ledger.clone(),
        settings,
    };
    let (_, run) = stage.connect("toy").await;
    stage.sweep().await;

    let message = stage.receive().await.unwrap();
    dispatch(&worker, message, &Shutdown::default()).await;

    assert_eq!(stage.run(run).await.state, RunState::Pending);
    let bodies = stage.queue.bodies();
    assert_eq!(bodies.len(), 1, "a fresh message is under way: {bodies:?}");
    stage.deliver().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn two_workers_never_hold_one_run(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(comments(asked, 1)));
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (_, run) = stage.connect("toy").await;
    stage.sweep().await;
    stage.post(&json!({"type": "integration_process", "runId": run})).await;
    platform.close();
    let first = start(&stage, &Shutdown::default()).await;
    platform.until_asked(1).await;

    let duplicate = stage.receive().await.unwrap();
    dispatch(&stage.another_worker(), duplicate, &Shutdown::default()).await;

    assert_eq!(platform.asked(), 1, "the second found the run leased, and let it be");
    assert_eq!(stage.run(run).await.lease_holder.as_deref(), Some("first"));
    platform.open();
    first.await.unwrap();
    assert_eq!(stage.run(run).await.state, RunState::Processed);
}

/// The lease of a worker that has stopped without a word.
async fn abandoned(
    stage: &Stage,
    run: RunId,
) -> (shared::store::Claimed, Vec<shared::domain::Stream>) {
    let claimed =
        stage.store.claim_run(run, "dead", Duration::from_secs(30)).await.unwrap().unwrap();
    if !claimed.listed {
        let stream = shared::domain::RawStream {
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
    let platform = Platform::new([page("news", 1)], |asked| Ok(comments(asked, 1)));
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (integration, run) = stage.connect("toy").await;
    let (stale, taken) = abandoned(&stage, run).await;

    assert_eq!(stage.sweep().await, 0, "while the lease lasts nobody is told");
    stage.clock.advance(Duration::from_secs(31));
    stage.work().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);

    // The stale worker wakes up with a page in hand.
    let written = stage.activities().await;
    let source =
        PageSource { lease: stale.lease, stream: taken[0].id, tenant: stage.tenant, integration };
    let asked = crate::toy::Asked { list: "stale".into(), page: 1, before: 0 };
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
    let platform = Platform::new([page("news", 1)], |asked| Ok(comments(asked, 1)));
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (_, run) = stage.connect("toy").await;
    for _ in 0..3 {
        let (_, taken) = abandoned(&stage, run).await;
        assert_eq!(taken.len(), 1);
        stage.clock.advance(Duration::from_secs(31));
    }

    let run = stage.work_until_ended(run).await;

    assert_eq!(run.state, RunState::Error);
    assert!(run.error.unwrap().contains("its worker died 3 times while stepping it"));
    assert_eq!(platform.asked(), 0, "it kills nobody any more");
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_whose_beginning_kills_three_workers_is_given_up(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(comments(asked, 1)));
    let stage = Stage::set(pool, Registry::default().with(Toy(platform))).await;
    let (_, run) = stage.connect("toy").await;
    for _ in 0..3 {
        stage.store.claim_run(run, "dead", Duration::from_secs(30)).await.unwrap().unwrap();
        stage.clock.advance(Duration::from_secs(31));
    }

    let run = stage.work_until_ended(run).await;

    assert_eq!(run.error.as_deref(), Some("its worker died 3 times while beginning or closing it"));
}

/// A worker claims the run and dies with no stream in hand.
async fn die_over(stage: &Stage, run: RunId) {
    stage.store.claim_run(run, "dead", Duration::from_secs(30)).await.unwrap().unwrap();
    stage.clock.advance(Duration::from_secs(31));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_whose_end_kills_three_workers_is_given_up(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(comments(asked, 1)));
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (_, run) = stage.connect("toy").await;
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
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (_, run) = stage.connect("toy").await;
    while platform.asked() < 5 {
        stage.work().await;
        stage.clock.turn_to(stage.run(run).await.delayed_until.expect("it waits"));
        // Innocent, each time: its machine is taken away.
        die_over(&stage, run).await;
    }

    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_paused_integration_is_left_alone_and_goes_on_where_it_was(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(comments(asked, 1)));
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (integration, run) = stage.connect("toy").await;

    stage.store.pause_integration(integration).await.unwrap();
    stage.clock.advance(Duration::from_secs(24 * 3600));
    stage.post(&json!({"type": "integration_process", "runId": run})).await;
    stage.work().await;
    assert_eq!(platform.asked(), 0);
    assert_eq!(stage.run(run).await.state, RunState::Pending);

    stage.store.resume_integration(integration).await.unwrap();
    stage.work().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_integration_deleted_in_the_middle_of_a_page_leaves_no_orphan(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(comments(asked, 1)));
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (integration, run) = stage.connect("toy").await;
    stage.sweep().await;
    platform.close();
    let work = start(&stage, &Shutdown::default()).await;
    platform.until_asked(1).await;

    assert!(stage.store.delete_integration(integration).await.unwrap());
    platform.open();
    work.await.unwrap();

    assert!(stage.store.run(run).await.unwrap().is_none());
    assert!(stage.activities().await.is_empty(), "a page of nobody is not stored");
    assert!(stage.queue.bodies().is_empty());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_asked_for_while_paused_waits_without_a_message(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(comments(asked, 1)));
    let stage = Stage::set(pool, Registry::default().with(Toy(platform.clone()))).await;
    let (integration, _) = stage.connect("toy").await;
    stage.work().await;
    stage.store.pause_integration(integration).await.unwrap();

    let check = RunMode::Check;
    let asked = stage.store.request_run(integration, check, RequestedBy::Api).await.unwrap();
    let run = asked.unwrap().run;
    assert_eq!(stage.sweep().await, 0, "nobody could claim it");

    stage.store.resume_integration(integration).await.unwrap();
    stage.work().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);
}
