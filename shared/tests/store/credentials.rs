//! Credentials: whose they are, who uses them, who renews them, and what a refusal withdraws.

use std::time::Duration;

use shared::domain::{CredentialId, CredentialState, IntegrationStatus, RunState};
use shared::store::{
    ClaimedRenewal, IntegrationChange, Refusal, Removed, Renewal, RunFailure, Store,
};
use sqlx::PgPool;

use crate::ground::{Ground, LEASE, secret};

fn refusal(credential: CredentialId, why: &str) -> Refusal<'_> {
    let state = CredentialState::Revoked;
    Refusal { credential, replacements: 0, renewal: None, state, why }
}

async fn renewal(store: &Store, id: CredentialId, version: i64) -> Renewal {
    match store.claim_renewal(id, version, LEASE).await.unwrap() {
        ClaimedRenewal::Ours(renewal) => renewal,
        other => panic!("{other:?}"),
    }
}

async fn version(store: &Store, id: CredentialId) -> i64 {
    store.sealed_credential(id).await.unwrap().unwrap().version
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn another_tenants_credential_can_be_used_by_nobody(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let theirs = ground.of_another_tenant().await.bring().await;
    let (integration, _) = ground.connect().await;
    let change = IntegrationChange { credential_id: Some(theirs.id), ..Default::default() };
    let refused = ground.store.change_integration(integration, &change).await.unwrap_err();
    assert!(refused.to_string().contains("credential_is_of_the_same_tenant"), "{refused}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_credential_is_removed_once_nobody_uses_it_and_with_its_tenant(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let used = ground.bring().await.id;
    let (integration, _) = ground.connect_by(Some(used)).await;
    let store = &ground.store;
    assert_eq!(store.remove_credential(used).await.unwrap(), Removed::InUse(integration));

    store.delete_integration(integration).await.unwrap();
    assert_eq!(store.remove_credential(used).await.unwrap(), Removed::Yes);
    assert_eq!(store.remove_credential(used).await.unwrap(), Removed::Unknown);

    ground.connect_by(Some(ground.bring().await.id)).await;
    ground.execute("delete from tenants").await;
    assert!(store.credentials(None, None, None, 10).await.unwrap().is_empty());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_refusal_withdraws_whatever_uses_the_credential_and_a_replacement_wakes_it(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let store = &ground.store;
    let (ours, other) = (ground.bring().await.id, ground.bring().await.id);
    let users = [ground.connect_by(Some(ours)).await, ground.connect_by(Some(ours)).await];
    let (paused, _) = ground.connect_by(Some(ours)).await;
    store.pause_integration(paused).await.unwrap();
    let (beside, beside_run) = ground.connect_by(Some(other)).await;
    let status = async |id| store.integration(id).await.unwrap().unwrap().status;

    assert_eq!(store.refuse_credential(refusal(ours, "401")).await.unwrap(), Some(2));
    assert_eq!(store.refuse_credential(refusal(ours, "403")).await.unwrap(), None);

    let known = store.credential(ours).await.unwrap().unwrap();
    assert_eq!(
        (known.state, known.state_reason.as_deref()),
        (CredentialState::Revoked, Some("401"))
    );
    for (user, _) in users {
        assert_eq!(status(user).await, IntegrationStatus::NeedsReconnect);
    }
    assert_eq!(status(paused).await, IntegrationStatus::Paused);
    assert_eq!(status(beside).await, IntegrationStatus::Active);
    let due = async || -> Vec<_> {
        store.due_messages(10).await.unwrap().into_iter().map(|due| due.run).collect()
    };
    assert_eq!(due().await, [beside_run], "what is withdrawn is not sent");

    let replaced = store.replace_credential(ours, &secret("second")).await.unwrap().unwrap();
    assert_eq!((replaced.state, replaced.state_reason), (CredentialState::Valid, None));
    for (user, run) in users {
        assert_eq!(status(user).await, IntegrationStatus::Active);
        assert!(due().await.contains(&run));
    }
    assert_eq!(status(paused).await, IntegrationStatus::Paused);
    assert_eq!(store.refuse_credential(refusal(ours, "late")).await.unwrap(), None);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_refused_with_what_was_replaced_since_withdraws_nobody(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let id = ground.bring().await.id;
    let (integration, run) = ground.connect_by(Some(id)).await;
    let held = ground.claim(run).await;
    let refused = RunFailure { error: "401".into(), needs_reconnect: true };

    let finished = ground.store.fail_run(held.lease, &refused, 0).await.unwrap();

    assert_eq!((finished.state, finished.withdrawn), (RunState::Error, false));
    let known = ground.store.integration(integration).await.unwrap().unwrap();
    assert_eq!(known.status, IntegrationStatus::Active);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn resuming_tries_the_credential_once_more(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let id = ground.bring().await.id;
    let (integration, _) = ground.connect_by(Some(id)).await;
    ground.store.refuse_credential(refusal(id, "401")).await.unwrap();

    let resumed = ground.store.resume_integration(integration).await.unwrap().unwrap();

    assert_eq!(resumed.status, IntegrationStatus::Active);
    let known = ground.store.credential(id).await.unwrap().unwrap();
    assert_eq!(known.state, CredentialState::Valid);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn one_renews_a_version_at_a_time_and_another_after_the_end_of_the_lease(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let (store, id) = (&ground.store, ground.bring().await.id);
    let dead = renewal(store, id, 1).await;
    let claimed = async |version| store.claim_renewal(id, version, LEASE).await.unwrap();
    assert_eq!(claimed(1).await, ClaimedRenewal::Held);
    assert_eq!(claimed(2).await, ClaimedRenewal::Over, "there is no such version");

    ground.outlive_the_lease();
    let alive = renewal(store, id, 1).await;
    assert_ne!(dead.token, alive.token);
    store.rest_renewal(dead, Duration::from_secs(3600)).await.unwrap();
    assert_eq!(claimed(1).await, ClaimedRenewal::Held, "the dead one has nothing to say");

    store.rest_renewal(alive, Duration::from_secs(5)).await.unwrap();
    assert_eq!(claimed(1).await, ClaimedRenewal::Resting(Duration::from_secs(5)));
    ground.clock.advance(Duration::from_secs(5));
    renewal(store, id, 1).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_comes_late_counts_unless_there_is_something_newer(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let (store, id) = (&ground.store, ground.bring().await.id);
    let stored = async |renewal, text| {
        store.store_renewal(renewal, &secret(text).sealed, None).await.unwrap()
    };
    let late = renewal(store, id, 1).await;
    ground.outlive_the_lease();
    let later = renewal(store, id, 1).await;

    assert!(stored(late, "late").await, "nobody has anything newer");
    assert_eq!(version(store, id).await, 2);
    assert!(stored(later, "later").await, "it was got after that");
    assert_eq!(version(store, id).await, 3);
    assert!(!stored(late, "again").await);
    assert!(!stored(later, "again").await);

    let overtaken = renewal(store, id, 3).await;
    store.replace_credential(id, &secret("brought")).await.unwrap();
    assert!(!stored(overtaken, "renewed").await, "its tenant brought another");
    let now = store.sealed_credential(id).await.unwrap().unwrap();
    assert_eq!((now.sealed, now.replacements), (secret("brought").sealed, 1));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn only_the_renewal_that_still_holds_the_lease_can_be_refused(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let (store, id) = (&ground.store, ground.bring().await.id);
    let dead = renewal(store, id, 1).await;
    ground.outlive_the_lease();
    let alive = renewal(store, id, 1).await;
    let refused = async |renewal| {
        let refusal = Refusal { renewal: Some(renewal), ..refusal(id, "invalid_grant") };
        store.refuse_credential(refusal).await.unwrap()
    };

    assert_eq!(refused(dead).await, None);
    assert_eq!(refused(alive).await, Some(0));
    let known = store.credential(id).await.unwrap().unwrap();
    assert_eq!(known.state, CredentialState::Revoked);
    assert_eq!(store.claim_renewal(id, 1, LEASE).await.unwrap(), ClaimedRenewal::Over);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_was_sealed_again_meanwhile_is_not_overwritten(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let (store, id) = (&ground.store, ground.bring().await.id);
    let page = store.credentials_not_sealed_by("k2", None, 10).await.unwrap();
    assert_eq!(page.iter().map(|sealed| sealed.id).collect::<Vec<_>>(), [id]);
    assert!(store.credentials_not_sealed_by("k1", None, 10).await.unwrap().is_empty());
    let renewing = renewal(store, id, 1).await;
    store.store_renewal(renewing, &secret("renewed").sealed, None).await.unwrap();

    assert!(!store.reseal_credential(&page[0], &secret("old").sealed).await.unwrap());
    let now = store.sealed_credential(id).await.unwrap().unwrap();
    assert!(store.reseal_credential(&now, &secret("same").sealed).await.unwrap());
    assert_eq!(version(store, id).await, 2, "it is the same secret");
}
