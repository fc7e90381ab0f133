//! What a tenant brings is looked at before it is stored.

use chrono::TimeDelta;
use serde_json::{Value, json};
use shared::domain::{CredentialState, IntegrationStatus, KnownCredential};
use shared::keyring::Keyring;
use shared::sdk::{Owner, Registry, SyncError};
use shared::store::{HeldKey, IdempotencyKey, Keep, KeptAnswer, StoreError, TakenKey};
use shared::vault::{Brought, Unacceptable, Vault};
use sqlx::PgPool;

use crate::ground::{Ground, LEASE, brought, why_unauthorized};
use crate::platform::LIFE;

async fn refused(ground: &Ground, credential: Value) -> Unacceptable {
    let refused = ground.vault().add(ground.tenant, brought(credential), None).await.unwrap_err();
    assert!(ground.store.credentials(None, None, None, 1).await.unwrap().is_empty());
    refused
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_is_brought_is_stored_with_whose_it_is(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let known = ground.bring().await;
    assert_eq!((&*known.organization_id, &*known.organization_name), ("T1", "Acme"));
    assert_eq!((known.state, known.platform.as_str()), (CredentialState::Valid, "guild"));
    assert_eq!(known.expires_at, Some(ground.clock.now() + LIFE));
    ground.user(&ground.vault(), known.id).ask().await.unwrap();

    let owner = Owner { id: "T1".to_owned(), name: "Acme".to_owned() };
    assert_eq!(ground.vault().access(known.id).owner().await.unwrap(), Some(owner));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_secret_that_several_tenants_bring_is_counted_as_one(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let rival = ground.store.add_tenant("rival", "another token").await.unwrap().id;
    let bot = || brought(json!({ "type": "secret", "secret": "hidden-access-0" }));
    let mine = ground.vault().add(ground.tenant, bot(), None).await.unwrap().id;
    let theirs = ground.vault().add(rival, bot(), None).await.unwrap().id;
    let granted = ground.bring().await.id;

    let counted_as = async |id| ground.store.counted_as(id).await.unwrap().unwrap();
    assert_eq!(counted_as(mine).await, counted_as(theirs).await);
    assert_eq!(counted_as(granted).await, granted.0);
    ground.connect(mine).await;
    let run = ground.store.due_messages(1).await.unwrap()[0].run;
    let claimed = ground.store.claim_run(run, "a worker", LEASE).await.unwrap().unwrap();
    assert_eq!(claimed.credential.unwrap().counted_as, counted_as(theirs).await);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_the_platform_refuses_or_nobody_knows_is_not_stored(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let wrong = refused(&ground, json!({ "type": "secret", "secret": "hidden" })).await;
    assert!(matches!(wrong, Unacceptable::Platform(SyncError::Unauthorized(_))), "{wrong}");
    let unsuitable = refused(&ground, json!({ "type": "fields", "fields": {} })).await;
    assert_eq!(
        unsuitable.to_string(),
        "`guild` does not work with a credential of type `fields`, but with oauth2, secret"
    );
    let mut past = ground.platform.granted();
    past["expires_at"] = json!(ground.clock.now());
    past["refresh_token"] = Value::Null;
    assert!(matches!(refused(&ground, past).await, Unacceptable::Expired));
    let long = refused(&ground, json!({ "type": "secret", "secret": "x".repeat(20_000) })).await;
    assert!(matches!(long, Unacceptable::TooLong(_)), "{long}");

    let elsewhere = Brought { platform: "myspace".into(), ..brought(ground.platform.granted()) };
    let unknown = ground.vault().add(ground.tenant, elsewhere, None).await.unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "no credentials are known for the platform `myspace` (known: guild)"
    );
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn without_a_master_key_it_is_said_what_is_missing_and_nobody_is_asked(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let registry =
        Registry::default().with(crate::guild::Guild::at(&ground.platform, &ground.clock));
    let vault = Vault::new(&ground.store, &registry, Keyring::default());
    let mut over = ground.platform.granted();
    over["expires_at"] = json!(ground.clock.now() - TimeDelta::hours(1));
    let refused = vault.add(ground.tenant, brought(over), None).await.unwrap_err();
    assert!(refused.to_string().contains("millrace credentials new-key"), "{refused}");
    assert_eq!(ground.platform.asked(), 0, "no refresh token is spent for nothing");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn one_that_has_expired_is_renewed_and_what_came_of_it_is_stored(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let over = ground.platform.granted();
    ground.outlive_the_token();
    let known = ground.vault().add(ground.tenant, brought(over), None).await.unwrap();
    assert_eq!(known.expires_at, Some(ground.clock.now() + LIFE));
    ground.user(&ground.vault(), known.id).ask().await.unwrap();
    assert_eq!((ground.platform.refreshes(), ground.platform.reuses()), (1, 0));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_the_platform_gave_is_stored_though_the_request_was_taken_over(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let lost = taken_over(&ground).await;
    let keep = Some(Keep { key: &lost, answer: &answer });
    let good = brought(ground.platform.granted());
    let refused = ground.vault().add(ground.tenant, good, keep).await.unwrap_err();
    assert!(matches!(refused, Unacceptable::Store(StoreError::LeaseLost)), "it is still good");

    let over = brought(ground.platform.granted());
    ground.outlive_the_token();
    let known = ground.vault().add(ground.tenant, over, keep).await.unwrap();

    ground.user(&ground.vault(), known.id).ask().await.unwrap();
    assert_eq!((ground.platform.refreshes(), ground.platform.reuses()), (1, 0));
    assert_eq!(ground.store.credentials(None, None, None, 9).await.unwrap(), [known]);
}

/// The key of a request that somebody else carries out by now.
async fn taken_over(ground: &Ground) -> HeldKey {
    let key = IdempotencyKey::new(ground.tenant, "k", b"a request");
    let TakenKey::Ours(lost) = ground.store.take_key(&key).await.unwrap() else { panic!() };
    ground.store.release_key(&lost).await.unwrap();
    ground.store.take_key(&key).await.unwrap();
    lost
}

fn answer(_: &KnownCredential) -> KeptAnswer {
    KeptAnswer { status: 201, location: String::new(), body: String::new() }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn one_that_cannot_be_renewed_expires_and_its_replacement_wakes_its_users(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let mut granted = ground.platform.granted();
    granted["refresh_token"] = Value::Null;
    let vault = ground.vault();
    let known = vault.add(ground.tenant, brought(granted), None).await.unwrap();
    let integration = ground.connect(known.id).await;
    let user = ground.user(&vault, known.id);
    user.ask().await.unwrap();

    ground.outlive_the_token();
    let why = why_unauthorized(user.ask().await);
    assert!(why.contains("it has expired, and cannot be renewed"), "{why}");
    assert_eq!(ground.known(known.id).await.state, CredentialState::Expired);
    let needs = ground.integration(integration).await.status;
    assert_eq!(needs, IntegrationStatus::NeedsReconnect);

    ground.platform.rotate_for_a_dead_worker();
    let anew = json!({
        "type": "oauth2", "client_id": "millrace", "access_token": "hidden-access-1",
        "refresh_token": "hidden-refresh-1", "expires_at": ground.clock.now() + LIFE,
    });
    let replaced = vault.replace(&known, brought(anew).credential).await.unwrap().unwrap();
    assert_eq!(replaced.state, CredentialState::Valid);
    assert_eq!(ground.integration(integration).await.status, IntegrationStatus::Active);
    user.ask().await.unwrap();
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn another_organizations_credential_replaces_nothing(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let known = ground.bring().await;
    sqlx::raw_sql("update credentials set organization_id = 'T0', organization_name = 'Globex'")
        .execute(ground.store.pool())
        .await
        .unwrap();
    let before = ground.known(known.id).await;

    let granted = brought(ground.platform.granted()).credential;
    let refused = ground.vault().replace(&before, granted).await.unwrap_err();

    assert_eq!(
        refused.to_string(),
        "it belongs to Acme (T1), and what it replaces to Globex (T0); add it as another credential"
    );
    assert_eq!(ground.known(known.id).await, before);
}
