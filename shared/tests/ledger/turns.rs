//! Who goes first, and when.

use std::time::Duration;

use shared::clock::Clock;
use shared::domain::{CountedBy, RunMode};
use shared::sdk::{Spending, SyncError};
use sqlx::PgPool;

use crate::provider::{limit, noon, quota, spending, workers};

const MINUTE: Duration = Duration::from_secs(60);

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_short_wait_is_waited_out_in_place(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let ledger = workers(&pool, &clock, 1).remove(0);
    let limit = limit(1, Duration::from_secs(2), CountedBy::Application);
    let quota = quota(&ledger, 1, RunMode::Onboarding);
    drop(quota.spend(&spending(&limit)).await.unwrap());
    quota.answered(&spending(&limit)).await;

    let waiting = tokio::spawn(async move { quota.spend(&spending(&limit)).await.map(drop) });
    let Clock::Turned(time) = &clock else { unreachable!() };
    while time.receiver_count() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    clock.advance(Duration::from_secs(3));
    waiting.await.unwrap().unwrap();
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn each_that_waits_is_told_a_turn_of_its_own(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let ledger = workers(&pool, &clock, 1).remove(0);
    let limit = limit(1, MINUTE, CountedBy::Application);
    drop(quota(&ledger, 1, RunMode::Onboarding).spend(&spending(&limit)).await.unwrap());
    let mut turns = Vec::new();
    for number in 2..5 {
        match quota(&ledger, number, RunMode::Onboarding).spend(&spending(&limit)).await {
            Err(SyncError::OverQuota { retry_after, .. }) => turns.push(retry_after.as_secs() / 60),
            _ => panic!("there is only one"),
        }
    }
    assert_eq!(turns, [1, 2, 3]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn of_two_limits_both_are_spent_or_neither(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let ledger = workers(&pool, &clock, 1).remove(0);
    let wide = limit(100, MINUTE, CountedBy::Application);
    let narrow = shared::domain::RequestLimit {
        class: "narrow".into(),
        ..limit(2, MINUTE, CountedBy::Application)
    };
    let both = [&wide, &narrow].map(|limit| Spending { limit: limit.clone(), cost: 1 });
    let quota = quota(&ledger, 1, RunMode::Check);
    for _ in 0..2 {
        drop(quota.spend(&both).await.unwrap());
    }
    for _ in 0..5 {
        assert!(quota.spend(&both).await.is_err());
    }
    let mut left = 0;
    while let Ok(one) = quota.spend(&spending(&wide)).await {
        drop(one);
        left += 1;
    }
    assert_eq!(left, 98);
}
