//! Asking for a run at the very moment another one ends: it is joined, or follows, and is never lost
//! and never doubled.

use shared::domain::{IntegrationId, RequestedBy, Run, RunMode, RunState};
use shared::store::{Finished, Requested, RunFilter};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

use crate::gate::Gate;
use crate::ground::{Ground, Held};

/// A check in a worker's hands, of an integration that has been onboarded.
async fn check(ground: &Ground) -> Held {
    let onboarding = ground.hold().await;
    onboarding.store.finish_run(onboarding.lease, None, 0).await.unwrap();
    next_check(ground, onboarding.integration).await
}

async fn next_check(ground: &Ground, integration: IntegrationId) -> Held {
    let check = ground.store.request_run(integration, RunMode::Check, RequestedBy::Tick).await;
    ground.claim(check.unwrap().unwrap().run).await
}

fn finish(held: &Held) -> JoinHandle<Finished> {
    let held = held.clone();
    tokio::spawn(async move { held.store.finish_run(held.lease, None, 0).await.unwrap() })
}

fn ask_for_onboarding(held: &Held) -> JoinHandle<Requested> {
    let held = held.clone();
    tokio::spawn(async move {
        let asked = held.store.request_run(held.integration, RunMode::Onboarding, RequestedBy::Api);
        asked.await.unwrap().unwrap()
    })
}

async fn live_runs(ground: &Ground, integration: IntegrationId) -> Vec<Run> {
    let filter = RunFilter { integration: Some(integration), ..RunFilter::default() };
    let runs = ground.store.runs(filter, 1_000).await.unwrap();
    runs.into_iter().filter(|run| !run.state.is_finished()).collect()
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_onboarding_asked_for_while_a_check_is_ending_is_a_run_of_its_own(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = check(&ground).await;

    let gate =
        Gate::after_update(&ground, "integration_runs", "new.processed_at is not null").await;
    let finishing = finish(&held);
    gate.until_waiting(1).await;
    let asking = ask_for_onboarding(&held);
    gate.until_waiting(2).await;
    gate.open().await;

    assert_eq!(finishing.await.unwrap().follow_up, None);
    let asked = asking.await.unwrap();
    assert!(!asked.joined && !asked.onboarding_follows);
    let live = live_runs(&ground, held.integration).await;
    assert_eq!((live.len(), live[0].id, live[0].mode), (1, asked.run, RunMode::Onboarding));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_check_that_ends_while_an_onboarding_is_being_asked_for_is_followed_by_it(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = check(&ground).await;

    let gate = Gate::after_update(&ground, "integrations", "new.onboarding_wanted").await;
    let asking = ask_for_onboarding(&held);
    gate.until_waiting(1).await;
    let finishing = finish(&held);
    gate.until_waiting(2).await;
    gate.open().await;

    let asked = asking.await.unwrap();
    assert!(asked.joined && asked.onboarding_follows);
    let follow_up = finishing.await.unwrap().follow_up;
    let live = live_runs(&ground, held.integration).await;
    assert_eq!((live.len(), Some(live[0].id), live[0].mode), (1, follow_up, RunMode::Onboarding));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn whoever_is_first_one_onboarding_comes_of_it(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let pool = options.max_connections(10).connect_with(database).await.unwrap();
    let ground = Ground::on(pool.clone()).await;
    let mut held = check(&ground).await;
    let mut followed = 0;
    for round in 0..48 {
        // Whoever asks starts a little earlier, or a little later, from round to round.
        let (barrier, head_start) = (Barrier::new(4), round % 8);
        let finishing = async {
            barrier.wait().await;
            pause(head_start).await;
            held.store.finish_run(held.lease, None, 0).await.unwrap()
        };
        let asking = async |steps| {
            barrier.wait().await;
            pause(steps).await;
            let mode = RunMode::Onboarding;
            let asked = held.store.request_run(held.integration, mode, RequestedBy::Api).await;
            asked.unwrap().unwrap()
        };
        let (finished, one, two, three) = tokio::join!(finishing, asking(1), asking(4), asking(7));

        let live = live_runs(&ground, held.integration).await;
        assert_eq!(live.len(), 1, "round {round}: {live:?}");
        let (run, mode) = (live[0].id, live[0].mode);
        assert_eq!(mode, RunMode::Onboarding, "round {round}");
        for asked in [one, two, three] {
            let expected = if asked.onboarding_follows { held.lease.run_id } else { run };
            assert_eq!(asked.run, expected, "round {round}");
        }
        followed += usize::from(finished.follow_up.is_some());
        assert!(finished.follow_up.is_none_or(|follow_up| follow_up == run));

        let onboarding = ground.claim(run).await;
        let ended = onboarding.store.finish_run(onboarding.lease, None, 0).await.unwrap();
        assert_eq!((ended.state, ended.follow_up), (RunState::Processed, None));
        held = next_check(&ground, held.integration).await;
    }
    println!("{followed} of 48 checks were followed, the others had ended");
    pool.close().await;
}

/// Lets the others go on for so many steps.
async fn pause(steps: usize) {
    for _ in 0..steps {
        tokio::task::yield_now().await;
    }
}
