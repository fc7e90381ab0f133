//! Sending what is due: once, and again when it was lost; nothing for those that are idle.

use std::time::Duration;

use shared::message::Message;
use sqlx::PgPool;

use crate::stage::{Stage, TICK};

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn runs_made_while_the_queue_is_away_are_sent_once_when_it_comes_back(pool: PgPool) {
    let stage = Stage::set(pool).await;
    stage.connect_many("restless", 5).await;
    let mut generator = stage.generator("first");
    stage.next_tick();

    stage.queue.go_away();
    for _ in 0..3 {
        generator.beat().await.unwrap_err();
        stage.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(stage.checks_of_each("restless").await, [1; 5], "work is made nevertheless");

    stage.queue.come_back();
    for _ in 0..3 {
        generator.beat().await.unwrap();
    }
    assert_eq!(stage.queue.bodies().len(), 5);
    assert_eq!(stage.work().await.len(), 5);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn of_a_batch_that_failed_in_part_the_rest_is_sent_again_and_nothing_twice(pool: PgPool) {
    let stage = Stage::set(pool).await;
    stage.connect_many("restless", 10).await;
    let mut generator = stage.generator("first");
    stage.next_tick();

    for (refused, sent) in [(6, 4), (3, 7), (1, 9)] {
        stage.queue.refuse_next(refused);
        generator.beat().await.unwrap_err();
        assert_eq!(stage.queue.bodies().len(), sent);
    }
    generator.beat().await.unwrap();

    assert_eq!(stage.queue.bodies().len(), 10);
    assert_eq!(stage.work().await.len(), 10, "ten messages about ten runs");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_thousand_idle_integrations_cause_no_message(pool: PgPool) {
    let stage = Stage::set(pool).await;
    stage.connect_many("onboarded", 500).await;
    stage.connect_many("patient", 500).await;
    sqlx::query("update integrations set next_check_tick = next_check_tick + 100")
        .execute(stage.store.pool())
        .await
        .unwrap();
    let mut generator = stage.generator("first");

    for _ in 0..20 {
        stage.next_tick();
        generator.beat().await.unwrap();
    }

    assert!(stage.queue.bodies().is_empty());
    assert_eq!(stage.fired().await.len(), 20);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_purged_queue_is_filled_again_within_a_minute(pool: PgPool) {
    let stage = Stage::set(pool).await;
    stage.connect_many("patient", 20).await;
    let mut generator = stage.generator("first");
    stage.clock.advance(TICK * 20);
    generator.beat().await.unwrap();
    assert_eq!(stage.queue.bodies().len(), 20);

    stage.queue.purge();
    stage.clock.advance(Duration::from_secs(59));
    generator.beat().await.unwrap();
    assert!(stage.queue.bodies().is_empty(), "they might still be under way");
    stage.clock.advance(Duration::from_secs(1));
    generator.beat().await.unwrap();

    assert_eq!(stage.work().await.len(), 20);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn more_than_a_batch_is_sent_by_one_beat(pool: PgPool) {
    let stage = Stage::set(pool).await;
    sqlx::query(
        "insert into integrations (id, tenant_id, kind, settings, next_check_tick)
         select gen_random_uuid(), id, 'restless', 'null', 0 from tenants, generate_series(1, 2500)",
    )
    .execute(stage.store.pool())
    .await
    .unwrap();

    stage.generator("first").beat().await.unwrap();

    assert_eq!(stage.queue.bodies().len(), 2500);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_discovery_is_sent_once_and_again_when_its_message_was_lost(pool: PgPool) {
    let stage = Stage::set(pool).await;
    let discovery = stage.ask_discovery().await;
    let mut generator = stage.generator("first");
    let message = Message::Discover { discovery }.encode();

    for _ in 0..3 {
        generator.beat().await.unwrap();
    }
    assert_eq!(stage.queue.bodies(), [message.as_str()]);
    stage.clock.advance(Duration::from_secs(60));
    generator.beat().await.unwrap();
    assert_eq!(stage.queue.bodies(), [message.as_str(); 2]);

    let lease = Duration::from_secs(60);
    let claimed = stage.store.claim_discovery(discovery, lease).await.unwrap().unwrap();
    stage.store.finish_discovery(claimed.lease, &[], 1).await.unwrap();
    stage.clock.advance(Duration::from_secs(3600));
    generator.beat().await.unwrap();
    assert_eq!(stage.queue.bodies().len(), 2, "nobody waits for it any more");
}
