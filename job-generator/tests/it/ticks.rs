//! What a tick starts, and what it leaves alone.

use std::time::Duration;

use shared::domain::{IntegrationId, RunState};
use shared::store::{RunFailure, RunFilter, StoreError};
use sqlx::PgPool;

use crate::stage::{LEASE, Stage, TICK};

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn restarts_neither_starve_nor_double_a_check(pool: PgPool) {
    let stage = Stage::set(pool).await;
    let patient = stage.connect("patient").await;

    // A generator that counted in memory would begin anew with each of these.
    for _ in 0..60 {
        stage.next_tick();
        let mut generator = stage.generator("deployed every minute");
        generator.beat().await.unwrap();
        generator.give_up().await;
        stage.work().await;
    }

    assert_eq!(stage.checks(patient).await, 3, "sixty ticks are three times twenty");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn beating_often_within_a_tick_fires_it_once(pool: PgPool) {
    let stage = Stage::set(pool).await;
    let restless = stage.connect("restless").await;
    let mut generator = stage.generator("first");
    stage.next_tick();

    for _ in 0..59 {
        generator.beat().await.unwrap();
        stage.work().await;
        stage.clock.advance(Duration::from_secs(1));
    }

    assert_eq!(stage.checks(restless).await, 1);
    assert_eq!(stage.fired().await.len(), 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn missed_ticks_collapse_to_one_and_the_phase_is_kept(pool: PgPool) {
    let stage = Stage::set(pool).await;
    let restless = stage.connect("restless").await;
    let regular = stage.connect("regular").await;
    let due_at = next_check(&stage, regular).await;
    let mut generator = stage.generator("first");

    // A night without any generator: five hundred ticks.
    stage.clock.advance(TICK * 500);
    generator.beat().await.unwrap();
    stage.work().await;

    assert_eq!(stage.checks(restless).await, 1);
    assert_eq!(stage.checks(regular).await, 1);
    let next = next_check(&stage, regular).await;
    let ahead = next - stage.tick().0;
    assert!((1..=3).contains(&ahead), "due {ahead} ticks from now");
    assert_eq!((next - due_at) % 3, 0, "at its phase, as if nothing had been missed");
}

async fn next_check(stage: &Stage, integration: IntegrationId) -> i64 {
    stage.store.integration(integration).await.unwrap().unwrap().next_check_tick.unwrap()
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_check_that_is_live_when_the_next_is_due_is_not_doubled(pool: PgPool) {
    let stage = Stage::set(pool).await;
    let restless = stage.connect("restless").await;
    let mut generator = stage.generator("first");

    // Nobody works: the first check stays live.
    for _ in 0..5 {
        stage.next_tick();
        generator.beat().await.unwrap();
    }
    assert_eq!(stage.checks(restless).await, 1);

    assert_eq!(stage.work().await.len(), 1);
    generator.beat().await.unwrap();
    assert_eq!(stage.checks(restless).await, 1, "those it was too late for are not made up for");
    stage.next_tick();
    generator.beat().await.unwrap();
    assert_eq!(stage.checks(restless).await, 2);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_paused_integration_is_not_checked_and_a_resumed_one_is_checked_once(pool: PgPool) {
    let stage = Stage::set(pool).await;
    let restless = stage.connect("restless").await;
    let mut generator = stage.generator("first");
    stage.store.pause_integration(restless).await.unwrap();

    for _ in 0..5 {
        stage.next_tick();
        generator.beat().await.unwrap();
    }
    assert_eq!(stage.checks(restless).await, 0);
    assert!(stage.queue.bodies().is_empty());

    stage.store.resume_integration(restless).await.unwrap();
    stage.next_tick();
    generator.beat().await.unwrap();
    assert_eq!(stage.checks(restless).await, 1);
    assert_eq!(stage.queue.bodies().len(), 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_check_that_ended_in_error_does_not_stop_the_next(pool: PgPool) {
    let stage = Stage::set(pool).await;
    let restless = stage.connect("restless").await;
    let mut generator = stage.generator("first");

    for _ in 0..3 {
        stage.next_tick();
        generator.beat().await.unwrap();
        fail_the_live_run(&stage).await.unwrap();
    }

    assert_eq!(stage.checks(restless).await, 3);
}

async fn fail_the_live_run(stage: &Stage) -> Result<(), StoreError> {
    let pending = RunFilter { state: Some(RunState::Pending), ..RunFilter::default() };
    let run = stage.store.runs(pending, 1).await?.remove(0).id;
    let claimed = stage.store.claim_run(run, "worker", LEASE).await?.expect("a pending run");
    let failure = RunFailure { error: "it is broken".into(), needs_reconnect: false };
    stage.store.fail_run(claimed.lease, &failure, 0).await.map(drop)
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn checks_that_could_not_be_made_are_made_at_the_next_beat_of_the_same_tick(pool: PgPool) {
    let stage = Stage::set(pool).await;
    let restless = stage.connect("restless").await;
    let mut generator = stage.generator("first");
    stage.next_tick();

    // The tick is fired, and then the database fails.
    rename(&stage, "uuid_v7", "uuid_v7_is_away").await;
    generator.beat().await.unwrap_err();
    assert_eq!(stage.fired().await.len(), 1);
    rename(&stage, "uuid_v7_is_away", "uuid_v7").await;

    generator.beat().await.unwrap();
    assert_eq!(stage.checks(restless).await, 1, "within the tick, not one later");
    generator.beat().await.unwrap();
    assert_eq!(stage.checks(restless).await, 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_is_due_is_sent_even_while_no_check_can_be_made(pool: PgPool) {
    let stage = Stage::set(pool).await;
    stage.connect("restless").await;
    let mut generator = stage.generator("first");
    stage.next_tick();
    generator.beat().await.unwrap();
    stage.queue.purge();

    rename(&stage, "uuid_v7", "uuid_v7_is_away").await;
    stage.connect("onboarded").await;
    stage.next_tick();
    generator.beat().await.unwrap_err();

    assert_eq!(stage.queue.bodies().len(), 1, "the check whose message was lost");
}

async fn rename(stage: &Stage, from: &str, to: &str) {
    sqlx::query(sqlx::AssertSqlSafe(format!("alter function {from}() rename to {to}")))
        .execute(stage.store.pool())
        .await
        .unwrap();
}
