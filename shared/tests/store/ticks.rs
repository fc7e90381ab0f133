//! Ticks start checks: each integration at its own phase, once, whatever was missed.

use std::time::Duration;

use serde_json::json;
use shared::clock::Clock;
use shared::domain::{IntegrationId, RequestedBy, RunMode, Tick};
use shared::store::{MIGRATIONS, NewIntegration, RunFailure, SchedulerLease, Store};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::ground::Ground;

const EVERY_TEN: i64 = 10;

/// An onboarded integration that is first checked at a tick.
async fn onboarded(ground: &Ground, first_check: i64) -> IntegrationId {
    let new = NewIntegration {
        tenant_id: ground.tenant,
        kind: "toy".into(),
        settings: json!({}),
        units: Vec::new(),
        first_check: Some(Tick(first_check)),
        credential_id: None,
        member_attributes: Vec::new(),
    };
    let connected = ground.store.connect(&new, RequestedBy::Connect).await.unwrap();
    end(ground, connected.requested.run).await;
    connected.integration.id
}

async fn end(ground: &Ground, run: shared::domain::RunId) {
    let held = ground.claim(run).await;
    held.store.finish_run(held.lease, None, 0).await.unwrap();
}

/// Ends every live run.
async fn end_all(ground: &Ground) {
    for due in ground.store.due_messages(1_000).await.unwrap() {
        end(ground, due.run).await;
    }
}

/// How many were due at a tick, and how many checks were made.
async fn tick(ground: &Ground, tick: i64) -> (i64, i64) {
    ground.store.start_due_checks("toy", EVERY_TEN, Tick(tick), 1_000).await.unwrap()
}

async fn next_check(ground: &Ground, integration: IntegrationId) -> Option<i64> {
    ground.store.integration(integration).await.unwrap().unwrap().next_check_tick
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn each_integration_keeps_its_phase(pool: PgPool) {
    let ground = Ground::on(pool).await;
    onboarded(&ground, 103).await;
    onboarded(&ground, 107).await;

    let mut fired = Vec::new();
    for number in 100..130 {
        if let (due @ 1.., made) = tick(&ground, number).await {
            fired.push((number, due, made));
            end_all(&ground).await;
        }
    }

    let expected = [103, 107, 113, 117, 123, 127].map(|number| (number, 1, 1));
    assert_eq!(fired, expected);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn missed_ticks_collapse_to_one_check_and_the_phase_stays(pool: PgPool) {
    let ground = Ground::on(pool).await;
    for (phase, back_at, next) in
        [(103, 103, 113), (103, 112, 113), (103, 113, 123), (103, 198, 203)]
    {
        let integration = onboarded(&ground, phase).await;
        assert_eq!(tick(&ground, back_at).await, (1, 1));
        assert_eq!(next_check(&ground, integration).await, Some(next), "away until {back_at}");
        assert_eq!(tick(&ground, back_at).await, (0, 0), "a tick that is fired again does nothing");
        end_all(&ground).await;
        ground.store.delete_integration(integration).await.unwrap();
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_integration_with_a_live_run_is_moved_on_without_a_second(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let slow = onboarded(&ground, 100).await;
    onboarded(&ground, 100).await;
    let live = ground.store.request_run(slow, RunMode::Onboarding, RequestedBy::Api).await.unwrap();

    assert_eq!(tick(&ground, 100).await, (2, 1));

    assert_eq!(next_check(&ground, slow).await, Some(110));
    let runs = ground.store.due_messages(10).await.unwrap();
    assert_eq!(runs.len(), 2, "one live run each");
    assert!(runs.iter().any(|due| due.run == live.unwrap().run));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn only_active_integrations_of_the_kind_are_due(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let paused = onboarded(&ground, 100).await;
    ground.store.pause_integration(paused).await.unwrap();
    let refused = onboarded(&ground, 100).await;
    let run = ground.store.request_run(refused, RunMode::Check, RequestedBy::Api).await.unwrap();
    let held = ground.claim(run.unwrap().run).await;
    let failure = RunFailure { error: "token revoked".into(), needs_reconnect: true };
    held.store.fail_run(held.lease, &failure, 0).await.unwrap();
    let (never, onboarding) = ground.connect().await;
    end(&ground, onboarding).await;
    assert_eq!(next_check(&ground, never).await, None);

    assert_eq!(tick(&ground, 105).await, (0, 0));
    let other_kind = ground.store.start_due_checks("other", EVERY_TEN, Tick(105), 10).await;
    assert_eq!(other_kind.unwrap(), (0, 0));

    // Whoever is back is checked once, at the phase it had.
    ground.store.resume_integration(paused).await.unwrap();
    assert_eq!(tick(&ground, 135).await, (1, 1));
    assert_eq!(next_check(&ground, paused).await, Some(140));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn the_due_are_taken_in_batches_the_longest_due_first(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let late = onboarded(&ground, 100).await;
    let later = onboarded(&ground, 95).await;
    let not_due = onboarded(&ground, 101).await;
    let batch =
        async || ground.store.start_due_checks("toy", EVERY_TEN, Tick(100), 1).await.unwrap();

    assert_eq!(batch().await, (1, 1));
    assert_eq!(next_check(&ground, later).await, Some(105));
    assert_eq!(next_check(&ground, late).await, Some(100));
    assert_eq!(batch().await, (1, 1));
    assert_eq!(batch().await, (0, 0));
    assert_eq!(next_check(&ground, not_due).await, Some(101));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn generators_at_one_tick_start_each_check_once(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let pool = options.max_connections(8).connect_with(database).await.unwrap();
    let ground = Ground::on(pool.clone()).await;
    ground
        .execute(
            "insert into integrations (id, tenant_id, kind, settings, next_check_tick)
             select gen_random_uuid(), id, 'toy', '{}', 90 + n % 20 from tenants, generate_series(1, 2000) n",
        )
        .await;

    let generators = (0..8).map(async |_| {
        let mut sums = (0, 0);
        loop {
            let (due, made) =
                ground.store.start_due_checks("toy", EVERY_TEN, Tick(100), 100).await.unwrap();
            sums = (sums.0 + due, sums.1 + made);
            if due == 0 {
                return sums;
            }
        }
    });
    let sums = futures_util::future::join_all(generators).await;

    // Of twenty phases eleven are due.
    let due = sums.iter().map(|(due, _)| due).sum::<i64>();
    let made = sums.iter().map(|(_, made)| made).sum::<i64>();
    assert_eq!((due, made), (1_100, 1_100));
    let left = "select count(*)::text from integrations where next_check_tick <= 100";
    assert_eq!(ground.lines(left).await, ["0"]);
    pool.close().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_tick_is_fired_once_and_forgotten_after_a_week(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let fire = async |number| ground.store.fire_tick(Tick(number), "a generator").await.unwrap();

    assert!(fire(1).await);
    assert!(!fire(1).await);
    ground.store.tick_fired(Tick(1), 42).await.unwrap();
    ground.clock.advance(Duration::from_secs(8 * 24 * 3600));
    assert!(fire(2).await);
    let remembered = "select concat_ws(' ', number, runs_made) from ticks order by number";
    assert_eq!(ground.lines(remembered).await, ["1 42", "2 0"]);
    ground.store.tick_fired(Tick(2), 7).await.unwrap();
    assert_eq!(ground.lines(remembered).await, ["2 7"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn one_generator_at_a_time_holds_the_scheduler(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let pool = options.max_connections(10).connect_with(database).await.unwrap();
    let ground = Ground::on(pool.clone()).await;
    let leases: Vec<_> = (0..10).map(|_| SchedulerLease { token: Uuid::new_v4() }).collect();
    let hold = async |lease: &SchedulerLease| {
        ground.store.hold_scheduler(*lease, "a generator", Duration::from_secs(15)).await.unwrap()
    };
    let holders = async || {
        let held = futures_util::future::join_all(leases.iter().map(hold)).await;
        leases
            .iter()
            .zip(held)
            .filter(|(_, held)| *held)
            .map(|(lease, _)| *lease)
            .collect::<Vec<_>>()
    };

    let first = holders().await;
    assert_eq!(first.len(), 1);
    ground.clock.advance(Duration::from_secs(14));
    assert_eq!(holders().await, first, "it keeps what it has");
    ground.clock.advance(Duration::from_secs(14));
    assert_eq!(holders().await, first, "by asking again in time");

    ground.clock.advance(Duration::from_secs(16));
    let rivals: Vec<_> = leases.iter().filter(|lease| **lease != first[0]).copied().collect();
    let held = futures_util::future::join_all(rivals.iter().map(hold)).await;
    assert_eq!(held.iter().filter(|held| **held).count(), 1, "taken over after its end");
    assert!(!hold(&first[0]).await);

    let second = holders().await;
    ground.store.give_up_scheduler(first[0]).await.unwrap();
    assert_eq!(holders().await, second, "nobody gives up what is another's");
    ground.store.give_up_scheduler(second[0]).await.unwrap();
    assert_eq!(ground.store.scheduler_holder().await.unwrap(), None);
    assert!(hold(&first[0]).await, "given up early, it is taken at once");
    assert_eq!(ground.store.scheduler_holder().await.unwrap().unwrap().holder, "a generator");
    pool.close().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn whoever_says_first_how_long_a_tick_is_says_it_for_all(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let agreed = async |seconds| {
        let length = Duration::from_secs(seconds);
        ground.store.agree_on_tick(length).await.unwrap().as_secs()
    };
    assert_eq!(agreed(30).await, 30);
    assert_eq!(agreed(60).await, 30);
    assert_eq!(agreed(30).await, 30);
}

/// Brought up to version 17 from the one before, which did not note it.
#[sqlx::test(migrations = false)]
async fn how_long_a_tick_was_is_known_from_those_that_were_fired(pool: PgPool) {
    let (before, after) = MIGRATIONS.iter().partition::<Vec<_>, _>(|it| it.version < 17);
    for migration in before {
        sqlx::raw_sql(migration.sql.clone()).execute(&pool).await.unwrap();
    }
    let fired = "insert into ticks (number, holder, fired_at)
        select floor(extract(epoch from at) / 45), 'a generator', at
        from generate_series(timestamptz '2026-11-30 12:00', '2026-11-30 12:10', '45 s') at";
    sqlx::query(fired).execute(&pool).await.unwrap();
    for migration in after {
        sqlx::raw_sql(migration.sql.clone()).execute(&pool).await.unwrap();
    }

    let store = Store::new(pool, Clock::System);
    let agreed = store.agree_on_tick(Duration::from_secs(60)).await.unwrap();
    assert_eq!(agreed, Duration::from_secs(45));
}
