//! How often integrations are checked: never, at each tick, at every so many.

use sqlx::PgPool;

use crate::stage::Stage;

/// The checks each tick made, over so many ticks.
async fn twenty_ticks(stage: &Stage) -> Vec<i64> {
    let mut generator = stage.generator("first");
    for _ in 0..20 {
        stage.next_tick();
        generator.beat().await.unwrap();
        stage.work().await;
    }
    stage.fired().await.into_iter().map(|(_, _, runs_made)| runs_made).collect()
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn onboarding_only_is_never_checked_by_a_tick(pool: PgPool) {
    let stage = Stage::set(pool).await;
    let onboarded = stage.connect("onboarded").await;

    assert_eq!(twenty_ticks(&stage).await, [0; 20]);

    assert_eq!(stage.checks(onboarded).await, 0);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn every_tick_is_each_tick(pool: PgPool) {
    let stage = Stage::set(pool).await;
    let restless = stage.connect("restless").await;

    assert_eq!(twenty_ticks(&stage).await, [1; 20]);

    assert_eq!(stage.checks(restless).await, 20);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn every_n_ticks_is_every_nth_for_each_and_never_all_at_once(pool: PgPool) {
    let stage = Stage::set(pool).await;
    stage.connect_many("regular", 30).await;
    stage.connect_many("patient", 100).await;

    let per_tick = twenty_ticks(&stage).await;

    assert_eq!(stage.checks_of_each("patient").await, [1; 100]);
    let regular = stage.checks_of_each("regular").await;
    // Twenty is not a multiple of three: the phase decides between six and seven.
    assert!(regular.iter().all(|checks| (6..=7).contains(checks)), "{regular:?}");
    // 15 on average, give or take what chance does to it; together they would be 130.
    assert!(per_tick.iter().all(|made| (1..=45).contains(made)), "{per_tick:?}");
}
