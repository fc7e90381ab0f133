//! Runs that are let in by a credential: renewed under them, replaced under them, refused.

use serde_json::json;
use shared::domain::{
    CredentialId, CredentialState, Discovery, DiscoveryState, IntegrationStatus, KnownCredential,
    RunState,
};
use shared::sdk::Registry;
use shared::store::NewDiscovery;
use shared::vault::{Brought, credential_from_json};
use sqlx::PgPool;
use worker::{Shutdown, dispatch};

use crate::desk::Desk;
use crate::log::Log;
use crate::stage::Stage;

async fn set(pool: PgPool) -> (Stage, Desk, KnownCredential) {
    let desk = Desk::open().await;
    let stage = Stage::set(pool, Registry::default().with(desk.integration())).await;
    let known = stage.worker.vault.add(stage.tenant, brought(&desk), None).await.unwrap();
    (stage, desk, known)
}

fn brought(desk: &Desk) -> Brought {
    let credential = credential_from_json(desk.granted()).unwrap();
    Brought { platform: "desk".into(), credential }
}

async fn state(stage: &Stage, id: CredentialId) -> CredentialState {
    stage.store.credential(id).await.unwrap().unwrap().state
}

async fn status(stage: &Stage, id: shared::domain::IntegrationId) -> IntegrationStatus {
    stage.store.integration(id).await.unwrap().unwrap().status
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_token_that_ends_in_the_middle_of_a_run_is_renewed_and_costs_no_attempt(pool: PgPool) {
    let (stage, desk, known) = set(pool).await;
    let (_, run) = stage.connect_by("desk", Some(known.id)).await;
    desk.end_token();

    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);

    assert_eq!(stage.activities().await, ["page-1", "page-2", "page-3"]);
    assert!(stage.streams(run).await.iter().all(|stream| stream.attempts == 0));
    let renewals = desk.received().await.iter().filter(|sent| sent.contains("/token")).count();
    assert_eq!(renewals, 1);
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_refused_credential_stops_whatever_uses_it_and_says_so_once(pool: PgPool) {
    let log = Log::default();
    let _logging = log.begin();
    let (stage, desk, known) = set(pool).await;
    let (one, first) = stage.connect_by("desk", Some(known.id)).await;
    let (other, second) = stage.connect_by("desk", Some(known.id)).await;
    desk.revoke();
    stage.work().await;

    assert_eq!(state(&stage, known.id).await, CredentialState::Revoked);
    for integration in [one, other] {
        let integration = stage.store.integration(integration).await.unwrap().unwrap();
        assert_eq!(integration.status, IntegrationStatus::NeedsReconnect);
        assert!(integration.status_reason.unwrap().contains("invalid_grant"));
    }
    assert_eq!(log.lines_with("ERROR").len(), 1, "{:#?}", log.lines_with("ERROR"));
    let asked = desk.asked();
    stage.clock.advance(std::time::Duration::from_secs(3600));
    stage.work().await;
    assert_eq!(desk.asked(), asked, "nothing is fetched until reconnected");

    desk.grant_anew();
    stage.worker.vault.replace(&known, brought(&desk).credential).await.unwrap().unwrap();
    for (integration, run) in [(one, first), (other, second)] {
        assert_eq!(status(&stage, integration).await, IntegrationStatus::Active);
        if stage.run(run).await.state.is_finished() {
            stage.store.continue_run(run).await.unwrap();
        }
        assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
    }
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_page_that_is_closed_to_us_is_given_up_in_the_platforms_words_and_the_credential_stays(
    pool: PgPool,
) {
    let (stage, desk, known) = set(pool).await;
    desk.close(2).await;
    let (integration, run) = stage.connect_by("desk", Some(known.id)).await;

    assert_eq!(stage.work_until_ended(run).await.state, RunState::Error);

    assert_eq!(stage.activities().await, ["page-1"]);
    let streams = stage.streams(run).await;
    let errors: Vec<_> = streams.iter().filter_map(|stream| stream.error.as_deref()).collect();
    assert_eq!(
        errors,
        ["GET /pages/2: answered 403 Forbidden: Missing Access by Bearer … (50001)"]
    );
    assert_eq!(state(&stage, known.id).await, CredentialState::Valid);
    assert_eq!(status(&stage, integration).await, IntegrationStatus::Active);
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_credential_that_cannot_be_renewed_is_refused_by_the_platform_alone(pool: PgPool) {
    let log = Log::default();
    let _logging = log.begin();
    let (stage, desk, known) = set(pool).await;
    let mut once = desk.granted();
    once["refresh_token"] = serde_json::Value::Null;
    let credential = credential_from_json(once).unwrap();
    stage.worker.vault.replace(&known, credential).await.unwrap().unwrap();
    let (integration, run) = stage.connect_by("desk", Some(known.id)).await;
    desk.revoke();
    stage.work().await;

    assert_eq!(stage.run(run).await.state, RunState::Error);
    assert_eq!(state(&stage, known.id).await, CredentialState::Revoked);
    assert_eq!(status(&stage, integration).await, IntegrationStatus::NeedsReconnect);
    assert_eq!(log.lines_with("ERROR").len(), 1, "{:#?}", log.lines_with("ERROR"));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_credential_refused_after_it_was_replaced_is_not_held_against_the_new_one(pool: PgPool) {
    let (stage, desk, known) = set(pool).await;
    let mut once = desk.granted();
    once["refresh_token"] = serde_json::Value::Null;
    let credential = credential_from_json(once).unwrap();
    stage.worker.vault.replace(&known, credential).await.unwrap().unwrap();
    let (integration, run) = stage.connect_by("desk", Some(known.id)).await;
    stage.sweep().await;
    desk.revoke();
    desk.hold(true);
    let (worker, message) = (stage.worker.clone(), stage.receive().await.unwrap());
    let work = tokio::spawn(async move { dispatch(&worker, message, &Shutdown::default()).await });
    desk.until_asked(1).await;

    desk.grant_anew();
    stage.worker.vault.replace(&known, brought(&desk).credential).await.unwrap().unwrap();
    desk.hold(false);
    work.await.unwrap();

    assert_eq!(state(&stage, known.id).await, CredentialState::Valid);
    assert_eq!(status(&stage, integration).await, IntegrationStatus::Active);
    stage.deliver().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);
    assert!(stage.streams(run).await.iter().all(|stream| stream.attempts == 0));
    stage.check_invariants().await;
}

async fn discover(stage: &Stage, credential: CredentialId) -> Discovery {
    let new = NewDiscovery {
        tenant_id: stage.tenant,
        kind: "desk".into(),
        settings: json!({}),
        credential: Some(credential),
    };
    let asked = stage.store.ask_discovery(&new, None).await.unwrap().id;
    stage.post(&json!({"type": "integration_discover", "discoveryId": asked})).await;
    stage.deliver().await;
    stage.store.discovery(asked).await.unwrap().unwrap()
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_discovery_is_let_in_by_a_credential_and_a_refusal_of_it_counts_everywhere(pool: PgPool) {
    let (stage, desk, known) = set(pool).await;
    desk.end_token();
    let found = discover(&stage, known.id).await;
    assert_eq!(found.units.map(|units| units[0].id.clone()).as_deref(), Some("T1"));

    desk.revoke();
    let refused = discover(&stage, known.id).await;

    assert_eq!(refused.state, DiscoveryState::Error);
    assert!(refused.error.unwrap().contains("the platform rejected our credentials"));
    assert_eq!(state(&stage, known.id).await, CredentialState::Revoked);
}
