//! A run passing from hand to hand: handed back, paused, deleted. What becomes of it when a worker
//! dies is told in `deaths.rs`.

use std::time::Duration;

use serde_json::json;
use shared::domain::{RequestedBy, RunMode, RunState, StreamState};
use sqlx::PgPool;
use worker::{Settings, Shutdown, dispatch};

use crate::stage::Stage;
use crate::toy::{Platform, page, pages};

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_message_is_there_until_what_it_caused_is_committed(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    stage.sweep().await;
    let work = stage.start_page(&platform, &Shutdown::default()).await;
    assert_eq!(stage.queue.bodies().len(), 1, "it is invisible, and not gone");

    platform.open();
    work.await.unwrap();

    assert_eq!(stage.run(run).await.state, RunState::Processed);
    assert!(stage.queue.bodies().is_empty());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_worker_that_is_told_to_stop_finishes_its_page_and_burns_no_attempt(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(pages(asked, 3, 1)));
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    stage.sweep().await;
    let shutdown = Shutdown::default();
    let work = stage.start_page(&platform, &shutdown).await;

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
    let platform = Platform::with_news();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    stage.sweep().await;
    let shutdown = Shutdown::default();
    let work = stage.start_page(&platform, &shutdown).await;

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
    let platform = Platform::with_news();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    stage.sweep().await;
    platform.hang_in_preprocess();
    platform.hang_in_listing();
    platform.hang_in_postprocess();

    for hanging in 1..=3 {
        let shutdown = Shutdown::default();
        let work = stage.start(&shutdown).await;
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
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    let settings = Settings { slice: Duration::ZERO, ..stage.worker.settings.clone() };
    let worker = stage.worker_set_to(settings);
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
    let platform = Platform::with_news();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    stage.sweep().await;
    stage.post(&json!({"type": "integration_process", "runId": run})).await;
    let first = stage.start_page(&platform, &Shutdown::default()).await;

    let duplicate = stage.receive().await.unwrap();
    dispatch(&stage.another_worker(), duplicate, &Shutdown::default()).await;

    assert_eq!(platform.asked(), 1, "the second found the run leased, and let it be");
    assert_eq!(stage.run(run).await.lease_holder.as_deref(), Some("first"));
    platform.open();
    first.await.unwrap();
    assert_eq!(stage.run(run).await.state, RunState::Processed);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_paused_integration_is_left_alone_and_goes_on_where_it_was(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, integration, run) = Stage::with_toy(pool, &platform).await;

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
    let platform = Platform::with_news();
    let (stage, integration, run) = Stage::with_toy(pool, &platform).await;
    stage.sweep().await;
    let work = stage.start_page(&platform, &Shutdown::default()).await;

    assert!(stage.store.delete_integration(integration).await.unwrap());
    platform.open();
    work.await.unwrap();

    assert!(stage.store.run(run).await.unwrap().is_none());
    assert!(stage.activities().await.is_empty(), "a page of nobody is not stored");
    assert!(stage.queue.bodies().is_empty());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_asked_for_while_paused_waits_without_a_message(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, integration, _) = Stage::with_toy(pool, &platform).await;
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
