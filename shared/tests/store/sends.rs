//! When a message about a run is due: there is no outbox, the run says it itself.

use std::time::Duration;

use serde_json::json;
use shared::domain::{DelayReason, IntegrationId, RequestedBy, RunId, RunMode};
use shared::store::{IntegrationChange, Kept, RunFailure};
use sqlx::PgPool;

use crate::ground::{Ground, LEASE};

/// The runs whose message is due after some time.
async fn due_after(ground: &Ground, time: Duration) -> Vec<RunId> {
    ground.clock.advance(time);
    let due = ground.store.due_messages(100).await.unwrap();
    due.into_iter().map(|due| due.run).collect()
}

async fn due_now(ground: &Ground) -> Vec<RunId> {
    due_after(ground, Duration::ZERO).await
}

async fn pause(ground: &Ground, integration: IntegrationId) {
    ground.store.pause_integration(integration).await.unwrap().unwrap();
}

async fn resume(ground: &Ground, integration: IntegrationId) {
    ground.store.resume_integration(integration).await.unwrap().unwrap();
}

const DAY: Duration = Duration::from_secs(24 * 3600);

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_message_is_due_when_the_run_can_be_claimed(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let (_, run) = ground.connect().await;
    assert_eq!(due_now(&ground).await, [run], "it was asked for");

    let held = ground.claim(run).await;
    assert!(due_after(&ground, LEASE / 2).await.is_empty(), "it is held");
    assert_eq!(ground.store.keep_lease(held.lease, LEASE).await.unwrap(), Kept::Ours);
    assert!(due_after(&ground, LEASE * 3 / 4).await.is_empty(), "it still is");
    assert_eq!(due_after(&ground, LEASE).await, [run], "it was abandoned");

    let held = ground.claim(run).await;
    held.store.hand_back(held.lease).await.unwrap();
    assert_eq!(due_now(&ground).await, [run], "it was handed back");

    let held = ground.claim(run).await;
    let delay = held.store.delay_run(held.lease, Some(DAY), DelayReason::RateLimit, None, 0).await;
    assert_eq!(delay.unwrap(), ground.clock.now() + DAY);
    assert!(due_after(&ground, DAY - LEASE).await.is_empty(), "it sleeps");
    assert_eq!(due_after(&ground, LEASE).await, [run], "its time has come");

    let held = ground.claim(run).await;
    held.store.finish_run(held.lease, None, 0).await.unwrap();
    assert!(due_after(&ground, DAY).await.is_empty(), "it ended");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn messages_are_due_in_the_order_of_their_times(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        runs.push(ground.connect().await.1);
        ground.clock.advance(Duration::from_secs(1));
    }

    assert_eq!(due_now(&ground).await, runs);
    let first = ground.store.due_messages(1).await.unwrap();
    assert_eq!((first[0].run, first[0].tenant), (runs[0], ground.tenant));
    assert_eq!(ground.store.outbox_backlog().await.unwrap(), 3);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_message_that_was_sent_meanwhile_changes_nothing_for_who_has_claimed_or_ended(
    pool: PgPool,
) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let run = held.lease.run_id;

    ground.store.messages_sent(&[run], None).await.unwrap();
    assert_eq!(due_after(&ground, LEASE).await, [run], "at the end of the lease, as before");

    held.store.finish_run(held.lease, None, 0).await.unwrap();
    ground.store.messages_sent(&[run], None).await.unwrap();
    assert!(due_after(&ground, DAY).await.is_empty());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_message_that_took_long_to_send_is_not_taken_for_the_one_that_is_due_since(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let (_, run) = ground.connect().await;
    let found_due = ground.clock.now();
    ground.clock.advance(Duration::from_secs(1));
    // While it is being sent somebody who has heard of the run claims it, and it waits for a second.
    let held = ground.claim(run).await;
    let second = Some(Duration::from_secs(1));
    let delay = held.store.delay_run(held.lease, second, DelayReason::RateLimit, None, 0);
    delay.await.unwrap();
    ground.clock.advance(Duration::from_secs(2));

    ground.store.messages_sent(&[run], Some(found_due)).await.unwrap();

    assert_eq!(due_now(&ground).await, [run]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn no_message_is_wanted_while_an_integration_is_paused(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let (integration, run) = ground.connect().await;
    pause(&ground, integration).await;
    assert!(due_after(&ground, DAY).await.is_empty(), "it was pending");

    resume(&ground, integration).await;
    assert_eq!(due_now(&ground).await, [run]);

    let held = ground.claim(run).await;
    pause(&ground, integration).await;
    assert_eq!(held.store.keep_lease(held.lease, LEASE).await.unwrap(), Kept::Withdrawn);
    assert!(due_after(&ground, DAY).await.is_empty(), "its worker died meanwhile");

    let delayed = held.store.delay_run(held.lease, Some(LEASE), DelayReason::Sleep, None, 0);
    delayed.await.unwrap();
    assert!(due_after(&ground, DAY).await.is_empty(), "its worker put it to sleep meanwhile");

    resume(&ground, integration).await;
    assert_eq!(due_now(&ground).await, [run]);
    let held = ground.claim(run).await;
    pause(&ground, integration).await;
    held.store.hand_back(held.lease).await.unwrap();
    assert!(due_after(&ground, DAY).await.is_empty(), "its worker handed it back");

    ground.store.continue_run(run).await.unwrap();
    assert!(due_after(&ground, DAY).await.is_empty(), "somebody continues it");
    resume(&ground, integration).await;
    assert_eq!(due_now(&ground).await, [run]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_asked_for_while_its_integration_is_paused_waits_for_the_resuming(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let integration = held.integration;
    held.store.finish_run(held.lease, None, 0).await.unwrap();
    pause(&ground, integration).await;

    let requested =
        ground.store.request_run(integration, RunMode::Check, RequestedBy::Api).await.unwrap();
    assert!(due_after(&ground, DAY).await.is_empty());

    resume(&ground, integration).await;
    assert_eq!(due_now(&ground).await, [requested.unwrap().run]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_that_follows_refused_credentials_waits_for_the_reconnecting(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let onboarding = ground.hold().await;
    let integration = onboarding.integration;
    onboarding.store.finish_run(onboarding.lease, None, 0).await.unwrap();
    let request = async |mode| {
        ground.store.request_run(integration, mode, RequestedBy::Api).await.unwrap().unwrap()
    };
    let check = request(RunMode::Check).await;
    let held = ground.claim(check.run).await;
    assert!(request(RunMode::Onboarding).await.onboarding_follows);

    let failure = RunFailure { error: "token revoked".into(), needs_reconnect: true };
    let failed = held.store.fail_run(held.lease, &failure, 0).await.unwrap();
    assert!(due_after(&ground, DAY).await.is_empty());

    let change = IntegrationChange { units: Some(Vec::new()), ..IntegrationChange::default() };
    ground.store.change_integration(integration, &change).await.unwrap();
    assert!(due_now(&ground).await.is_empty(), "the credentials are in the settings");
    let change = IntegrationChange { settings: Some(json!({})), ..IntegrationChange::default() };
    ground.store.change_integration(integration, &change).await.unwrap();
    assert_eq!(due_now(&ground).await, [failed.follow_up.unwrap()]);
}
