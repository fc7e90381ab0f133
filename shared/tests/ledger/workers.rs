//! Several workers at one row.

use std::time::Duration;

use shared::clock::Clock;
use shared::domain::{CountedBy, RequestLimit, RequestedBy, RunMode, Said};
use shared::ledger::{Ledger, Spender};
use shared::sdk::{Quota, Spending, Spent, SyncError};
use shared::store::{NewIntegration, Store};
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::provider::{limit, noon, quota, spender, spending, tenant, workers};

const HOUR: Duration = Duration::from_secs(3_600);

fn hourly(allowed: u32) -> RequestLimit {
    limit(allowed, HOUR, CountedBy::Application)
}

/// As many as there are now.
async fn spend_all(quota: &dyn Quota, limit: &RequestLimit) -> Vec<Spent> {
    let mut spent = Vec::new();
    while let Ok(one) = quota.spend(&spending(limit)).await {
        spent.push(one);
    }
    spent
}

async fn wait(quota: &dyn Quota, limit: &RequestLimit) -> Duration {
    match quota.spend(&spending(limit)).await {
        Err(SyncError::OverQuota { class, retry_after }) => {
            assert_eq!(class, limit.class);
            retry_after
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("there was some"),
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn workers_that_take_at_the_same_time_take_no_more_than_there_is(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let limit = hourly(40);
    let mut taking = JoinSet::new();
    for (ledger, number) in workers(&pool, &clock, 4).into_iter().zip(1..) {
        let limit = limit.clone();
        taking.spawn(async move {
            let quota = quota(&ledger, number, RunMode::Check);
            spend_all(&*quota, &limit).await.len()
        });
    }
    assert_eq!(taking.join_all().await.iter().sum::<usize>(), 40);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_limit_of_each_credential_is_not_shared(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let ledger = &workers(&pool, &clock, 1)[0];
    let limit = limit(5, HOUR, CountedBy::Credential);
    for number in [1, 2] {
        let quota = quota(ledger, number, RunMode::Check);
        assert_eq!(spend_all(&*quota, &limit).await.len(), 5);
    }
}

/// It was leased a whole window again and again, and never sent.
#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_request_that_costs_more_than_a_window_allows_is_paid_for_by_a_whole_one(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let ledger = &workers(&pool, &clock, 1)[0];
    let limit = limit(10, HOUR, CountedBy::Credential);
    let quota = quota(ledger, 1, RunMode::Check);
    let dear = [Spending { limit: limit.clone(), cost: 50 }];
    drop(quota.spend(&dear).await.expect("a whole window's"));
    quota.answered(&dear).await;
    assert!(wait(&*quota, &limit).await > HOUR - Duration::from_secs(60));
    clock.advance(HOUR + Duration::from_secs(60));
    drop(quota.spend(&dear).await.expect("another whole window's"));
}

/// As GitHub counts pages of different lists.
#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn requests_of_different_costs_use_the_budget_and_no_more(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let ledger = &workers(&pool, &clock, 1)[0];
    let limit = limit(5_000, HOUR, CountedBy::Credential);
    let quota = quota(ledger, 1, RunMode::Onboarding);
    let mut points = 0;
    for cost in [4, 1, 4, 2, 7].into_iter().cycle() {
        let spending = [Spending { limit: limit.clone(), cost }];
        let Ok(spent) = quota.spend(&spending).await else { break };
        drop(spent);
        quota.answered(&spending).await;
        points += cost;
    }
    assert!((4_750..=5_000).contains(&points), "{points}");
}

/// As X counts what an account's followers and its reach ask for.
#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn two_kinds_that_use_one_credential_of_a_platform_share_its_limits(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let store = Store::new(pool.clone(), clock.clone());
    let registry = shared::integrations::registry(&Default::default()).unwrap();
    let limit = hourly(10);
    let limit = RequestLimit { counted_by: CountedBy::Credential, ..limit };
    let ledger = Ledger::of(store);
    let mut sent = 0;
    for kind in ["twitter", "twitter_reach"] {
        let platform = registry.find(kind).unwrap().platform().to_owned();
        let quota = ledger.counts(Spender { platform, ..spender(1, RunMode::Check) });
        sent += spend_all(&*quota, &limit).await.len();
    }
    assert_eq!(sent, 10);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn requests_of_a_slice_ask_nobody(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let ledger = &workers(&pool, &clock, 1)[0];
    let (limit, quota) = (hourly(100_000), quota(ledger, 1, RunMode::Check));
    for _ in 0..2_000 {
        let spending = spending(&limit);
        drop(quota.spend(&spending).await.unwrap());
        quota.answered(&spending).await;
    }
    let writes: i64 =
        sqlx::query_scalar("select version from quota_ledger").fetch_one(&pool).await.unwrap();
    assert!(writes < 40, "{writes} writes for 2000 requests");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_slice_whose_worker_died_counts_for_a_while_and_then_is_there_again(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let mut workers = workers(&pool, &clock, 2);
    let limit = hourly(10);
    let dead = quota(&workers[0], 1, RunMode::Check);
    std::mem::forget(spend_all(&*dead, &limit).await);
    drop((workers.remove(0), dead));

    let alive = quota(&workers[0], 2, RunMode::Check);
    assert!(wait(&*alive, &limit).await > HOUR - Duration::from_secs(60));
    clock.advance(HOUR);
    assert!(alive.spend(&spending(&limit)).await.is_err(), "some may have arrived late");
    clock.advance(Duration::from_secs(60));
    assert_eq!(spend_all(&*alive, &limit).await.len(), 10);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_a_run_leaves_of_its_slice_is_there_for_others_at_once(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let (limit, workers) = (hourly(20), workers(&pool, &clock, 2));
    let first = quota(&workers[0], 1, RunMode::Check);
    for _ in 0..4 {
        drop(first.spend(&spending(&limit)).await.unwrap());
    }
    workers[0].let_go(tenant(1), RunMode::Check).await;
    let second = quota(&workers[1], 2, RunMode::Check);
    assert_eq!(spend_all(&*second, &limit).await.len(), 16);
}

async fn two_after_one_request(
    pool: &PgPool,
    clock: &Clock,
    limit: &RequestLimit,
    said: Said,
) -> (Vec<Ledger>, std::sync::Arc<dyn Quota>) {
    let workers = workers(pool, clock, 2);
    let first = quota(&workers[0], 1, RunMode::Check);
    drop(first.spend(&spending(limit)).await.unwrap());
    first.heed(limit, said).await;
    first.answered(&spending(limit)).await;
    let second = quota(&workers[1], 2, RunMode::Check);
    (workers, second)
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_platform_that_allows_less_or_more_than_declared_is_believed_by_all(pool: PgPool) {
    for (allowed, left) in [(30, 29), (300, 299)] {
        sqlx::query("truncate quota_ledger").execute(&pool).await.unwrap();
        let clock = Clock::standing_at(noon());
        let said = Said {
            allowed: Some(allowed),
            remaining: Some(left),
            resets_in: Some(HOUR),
            refused_for: None,
        };
        let (_workers, second) = two_after_one_request(&pool, &clock, &hourly(100), said).await;
        let spent = spend_all(&*second, &hourly(100)).await.len();
        assert_eq!(spent, left as usize, "of {allowed}");
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_others_with_the_credential_have_used_is_left_alone_until_the_reset(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let said = Said {
        allowed: Some(100),
        remaining: Some(7),
        resets_in: Some(HOUR / 2),
        refused_for: None,
    };
    let (_workers, second) = two_after_one_request(&pool, &clock, &hourly(100), said).await;
    assert_eq!(spend_all(&*second, &hourly(100)).await.len(), 7);
    assert!(wait(&*second, &hourly(100)).await <= HOUR / 2);
    clock.advance(HOUR / 2);
    assert_eq!(spend_all(&*second, &hourly(100)).await.len(), 92);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_refusal_of_one_worker_is_a_refusal_of_all(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let said = Said { refused_for: Some(HOUR / 4), ..Said::default() };
    let (workers, second) = two_after_one_request(&pool, &clock, &hourly(100), said).await;
    assert_eq!(wait(&*second, &hourly(100)).await, HOUR / 4);
    let first = quota(&workers[0], 1, RunMode::Check);
    assert_eq!(wait(&*first, &hourly(100)).await, HOUR / 4);
    clock.advance(HOUR / 4);
    assert!(second.spend(&spending(&hourly(100))).await.is_ok());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn who_continues_a_run_by_hand_asks_the_platform_again(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let store = Store::new(pool.clone(), clock.clone());
    let tenant = store.add_tenant("acme", "a token").await.unwrap().id;
    let new = NewIntegration {
        tenant_id: tenant,
        kind: "forum".into(),
        settings: serde_json::json!({}),
        credential_id: None,
        units: Vec::new(),
        first_check: None,
        member_attributes: Vec::new(),
    };
    let run = store.connect(&new, RequestedBy::Connect).await.unwrap().requested.run;
    let said = Said { refused_for: Some(HOUR), ..Said::default() };
    let (_workers, second) = two_after_one_request(&pool, &clock, &hourly(100), said).await;

    store.continue_run(run).await.unwrap();

    assert!(second.spend(&spending(&hourly(100))).await.is_ok());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn rows_that_are_over_go_when_others_are_made(pool: PgPool) {
    let clock = Clock::standing_at(noon());
    let ledger = &workers(&pool, &clock, 1)[0];
    let one_by_one = limit(5, Duration::from_secs(60), CountedBy::Credential);
    for number in 0..30 {
        drop(
            quota(ledger, number, RunMode::Onboarding).spend(&spending(&one_by_one)).await.unwrap(),
        );
        ledger.let_go(tenant(number), RunMode::Onboarding).await;
    }
    clock.advance(Duration::from_secs(2 * 24 * 3_600));
    for number in 100..102 {
        drop(
            quota(ledger, number, RunMode::Onboarding).spend(&spending(&one_by_one)).await.unwrap(),
        );
    }
    let rows: i64 =
        sqlx::query_scalar("select count(*) from quota_ledger").fetch_one(&pool).await.unwrap();
    assert_eq!(rows, 2);
}
