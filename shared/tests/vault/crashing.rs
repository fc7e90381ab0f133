//! Renewals that nobody finishes, and those that come too late.

use std::time::Duration;

use shared::domain::{CredentialState, IntegrationStatus};
use shared::sdk::SyncError;
use sqlx::PgPool;

use crate::ground::{Ground, LEASE, brought, why_unauthorized};
use crate::log::Log;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_a_dead_worker_was_about_to_renew_is_renewed_at_the_end_of_its_lease(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let id = ground.bring().await.id;
    ground.outlive_the_token();
    // It dies before it asks the platform.
    ground.store.claim_renewal(id, 1, LEASE).await.unwrap();
    let impatient = ground.vault().with_patience(Duration::ZERO);
    let asked = ground.user(&impatient, id).ask().await;
    assert!(matches!(asked, Err(SyncError::RateLimited { .. })), "{asked:?}");
    assert_eq!(ground.platform.asked(), 0);

    ground.clock.advance(LEASE);
    ground.user(&impatient, id).ask().await.unwrap();
    assert_eq!((ground.platform.refreshes(), ground.platform.reuses()), (1, 0));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_a_dead_worker_had_renewed_needs_to_be_reconnected_and_says_so_once(pool: PgPool) {
    let log = Log::default();
    let _logging = log.begin();
    let ground = Ground::on(pool).await;
    let id = ground.bring().await.id;
    let (one, other) = (ground.connect(id).await, ground.connect(id).await);
    ground.outlive_the_token();
    ground.store.claim_renewal(id, 1, LEASE).await.unwrap();
    // It dies before it stores what the platform answered.
    ground.platform.rotate_for_a_dead_worker();
    ground.clock.advance(LEASE);

    let vaults = [ground.vault(), ground.vault()];
    for vault in vaults.iter().cycle().take(6) {
        let why = why_unauthorized(ground.user(vault, id).ask().await);
        assert!(why.contains("renewing it was refused: invalid_grant"), "{why}");
    }

    assert_eq!(ground.platform.asked(), 1, "nobody asks again");
    let known = ground.known(id).await;
    assert_eq!(known.state, CredentialState::Revoked);
    for user in [one, other] {
        let user = ground.integration(user).await;
        assert_eq!(user.status, IntegrationStatus::NeedsReconnect);
        assert_eq!(user.status_reason, known.state_reason);
    }
    assert_eq!(log.lines_with("ERROR"), 1, "{}", log.text());
    assert_eq!(log.lines_with("needs to be reconnected"), 1, "{}", log.text());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_refusal_that_comes_after_somebody_elses_renewal_refuses_nobody(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let id = ground.bring().await.id;
    let user = ground.connect(id).await;
    ground.platform.be_lenient();
    ground.outlive_the_token();
    ground.platform.hold(true);
    let (slow, quick) = (ground.vault(), ground.vault());
    let first = tokio::spawn(ground.user(&slow, id).asks());
    ground.platform.until_asked(1).await;
    // It hangs for so long that its lease ends, and another spends the same refresh token.
    ground.clock.advance(LEASE);
    ground.platform.let_newcomers_in();
    ground.user(&quick, id).ask().await.unwrap();

    ground.platform.hold(false);
    first.await.unwrap();
    assert_eq!((ground.platform.refreshes(), ground.platform.reuses()), (1, 1));
    assert_eq!(ground.version(id).await, 2);
    assert_eq!(ground.known(id).await.state, CredentialState::Valid);
    assert_eq!(ground.integration(user).await.status, IntegrationStatus::Active);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_is_brought_during_a_renewal_stays(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let known = ground.bring().await;
    let id = known.id;
    ground.outlive_the_token();
    ground.platform.hold_answers(true);
    let vault = ground.vault();
    let asking = tokio::spawn(ground.user(&vault, id).asks());
    ground.platform.until_asked(1).await;

    // A person grants access anew; the platform knows the pair that the renewal is about to bring.
    let renewed = serde_json::json!({
        "type": "oauth2", "client_id": "millrace", "access_token": "hidden-access-1",
        "refresh_token": "hidden-refresh-1",
    });
    ground.vault().replace(&known, brought(renewed).credential).await.unwrap().unwrap();
    ground.platform.hold_answers(false);
    asking.await.unwrap();
    vault.close().await;

    let now = ground.store.sealed_credential(id).await.unwrap().unwrap();
    assert_eq!((now.version, now.replacements, now.expires_at), (2, 1, None));
}
