//! Several generators: one of them leads, and whoever dies is followed.

use std::time::Duration;

use job_generator::Scheduler;
use sqlx::PgPool;

use crate::stage::{LEASE, Stage};

/// Every generator beats, all at the same moment.
async fn beat_together(generators: &mut [Scheduler]) {
    let beats = generators.iter_mut().map(Scheduler::beat);
    for beaten in futures_util::future::join_all(beats).await {
        beaten.unwrap();
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn three_generators_fire_each_of_twenty_ticks_once_and_make_each_check_once(pool: PgPool) {
    let stage = Stage::set(pool).await;
    stage.connect_many("restless", 10).await;
    let mut generators = ["first", "second", "third"].map(|holder| stage.generator(holder));

    for _ in 0..20 {
        stage.next_tick();
        beat_together(&mut generators).await;
        assert_eq!(stage.work().await.len(), 10);
    }

    assert_eq!(stage.checks_of_each("restless").await, [20; 10]);
    let fired = stage.fired().await;
    assert_eq!(fired.len(), 20);
    assert!(fired.iter().all(|(_, _, runs_made)| *runs_made == 10), "{fired:?}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_leader_killed_in_the_middle_is_followed_and_no_check_is_lost_or_doubled(pool: PgPool) {
    let stage = Stage::set(pool).await;
    stage.connect_many("restless", 10).await;
    let mut leader = stage.generator("killed");
    leader.beat().await.unwrap();
    let mut others = ["second", "third"].map(|holder| stage.generator(holder));

    for tick in 0..20 {
        stage.next_tick();
        if tick < 10 {
            leader.beat().await.unwrap();
        } else if tick == 10 {
            // Dead, without a word to anybody.
            drop(std::mem::replace(&mut leader, stage.generator("never heard of")));
        }
        beat_together(&mut others).await;
        stage.work().await;
    }

    assert_eq!(stage.checks_of_each("restless").await, [20; 10]);
    let fired = stage.fired().await;
    assert_eq!(fired.len(), 21, "with the one of the beginning");
    assert!(fired[..11].iter().all(|(_, holder, _)| holder == "killed"), "{fired:?}");
    assert!(fired[11..].iter().all(|(_, holder, _)| holder != "killed"), "{fired:?}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_new_leader_takes_over_after_the_lease_and_not_before(pool: PgPool) {
    let stage = Stage::set(pool).await;
    let mut dead = stage.generator("dead");
    let mut second = stage.generator("second");
    dead.beat().await.unwrap();
    stage.clock.advance(LEASE / 2);
    dead.beat().await.unwrap();
    drop(dead);

    stage.clock.advance(LEASE);
    second.beat().await.unwrap();
    assert!(leads(&stage, "dead").await, "the lease lasts to its last second");

    stage.clock.advance(Duration::from_secs(1));
    second.beat().await.unwrap();
    assert!(leads(&stage, "second").await);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_leader_that_gives_up_is_followed_at_once(pool: PgPool) {
    let stage = Stage::set(pool).await;
    let mut first = stage.generator("first");
    let mut second = stage.generator("second");
    first.beat().await.unwrap();
    second.beat().await.unwrap();
    assert!(leads(&stage, "first").await);

    second.give_up().await;
    assert!(leads(&stage, "first").await, "nobody gives up what is another's");
    first.give_up().await;
    second.beat().await.unwrap();
    assert!(leads(&stage, "second").await);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_leader_that_stalled_past_its_lease_finds_another_and_lets_it_lead(pool: PgPool) {
    let stage = Stage::set(pool).await;
    stage.connect_many("restless", 3).await;
    let mut stalled = stage.generator("stalled");
    let mut second = stage.generator("second");
    stalled.beat().await.unwrap();
    stage.next_tick();
    second.beat().await.unwrap();

    stalled.beat().await.unwrap();

    assert!(leads(&stage, "second").await);
    assert_eq!(stage.checks_of_each("restless").await, [1; 3]);
    assert_eq!(stage.queue.bodies().len(), 3, "each message once");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_tick_whose_leader_died_before_it_made_the_runs_loses_no_check(pool: PgPool) {
    let stage = Stage::set(pool).await;
    stage.connect_many("restless", 10).await;
    stage.next_tick();
    stage.store.fire_tick(stage.tick(), "dead").await.unwrap();
    let mut generator = stage.generator("second");

    generator.beat().await.unwrap();
    assert_eq!(stage.checks_of_each("restless").await, [0; 10], "a tick is fired once");

    stage.next_tick();
    generator.beat().await.unwrap();
    assert_eq!(stage.checks_of_each("restless").await, [1; 10]);
}

async fn leads(stage: &Stage, holder: &str) -> bool {
    let leader: Option<String> = sqlx::query_scalar("select holder from scheduler_lease")
        .fetch_optional(stage.store.pool())
        .await
        .unwrap();
    leader.as_deref() == Some(holder)
}
