//! What becomes of an integration once it is connected.

use serde_json::json;
use sqlx::PgPool;

use crate::service::{Service, text};
use crate::toy::Mood;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_change_is_verified_and_writes_only_what_it_names(pool: PgPool) {
    let mut service = Service::start(pool).await;
    let (id, _) = service.connected().await;
    let path = format!("/v1/integrations/{id}");
    assert_eq!(service.asked.recv().await.as_deref(), Some("acme"));

    let changed = service.patch(&path, json!({"units": ["news\u{0}"]})).await.expect(200);
    assert_eq!(changed["units"], json!(["news"]), "what cannot be stored is left out");
    assert_eq!(changed["settings"], json!({"organization": "acme"}));
    assert_eq!(service.asked.recv().await.as_deref(), Some("acme"), "with the settings it has");

    let settings = json!({"organization": "initech"});
    let changed = service.patch(&path, json!({"settings": settings})).await.expect(200);
    assert_eq!(changed["settings"], settings);
    assert_eq!(changed["units"], json!(["news"]));
    assert_eq!(service.asked.recv().await.as_deref(), Some("initech"));
    assert_eq!(service.get(&path).await.expect(200), changed);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_change_that_is_refused_changes_nothing(pool: PgPool) {
    let service = Service::start(pool).await;
    let (id, _) = service.connected().await;
    let path = format!("/v1/integrations/{id}");
    let before = service.get(&path).await.expect(200);

    let misspelt = service.patch(&path, json!({"settings": {"organisation": "x"}})).await;
    assert_eq!(misspelt.problem(422, "invalid_settings")["field"], "settings.organisation");
    let unknown = service.patch(&path, json!({"setings": {}})).await;
    assert_eq!(unknown.problem(422, "invalid_field")["field"], "setings");
    service.platform.be(Mood::NotThere);
    let gone = service.patch(&path, json!({"settings": {"organization": "hooli"}})).await;
    assert_eq!(
        gone.problem(422, "refused_by_platform")["detail"],
        "there is no organization `hooli`"
    );
    assert_eq!(service.get(&path).await.expect(200), before);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_change_of_nothing_asks_nobody(pool: PgPool) {
    let mut service = Service::start(pool).await;
    let (id, _) = service.connected().await;
    service.asked.recv().await.expect("when it was connected");
    let path = format!("/v1/integrations/{id}");
    let before = service.get(&path).await.expect(200);
    assert_eq!(service.patch(&path, json!({})).await.expect(200), before);
    service.asked.try_recv().expect_err("there is nothing to verify");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_paused_integration_waits_until_it_is_resumed(pool: PgPool) {
    let service = Service::start(pool).await;
    let (id, _) = service.connected().await;
    let path = format!("/v1/integrations/{id}");

    let paused = service.post(&format!("{path}/pause"), json!({})).await.expect(200);
    assert_eq!(paused["status"], "paused");
    assert_eq!(paused["next_check_at"], json!(null));
    let resumed = service.post(&format!("{path}/resume"), json!({})).await.expect(200);
    assert_eq!(resumed["status"], "active");
    assert!(!text(&resumed["next_check_at"]).is_empty());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_deleted_integration_is_gone_with_its_runs(pool: PgPool) {
    let service = Service::start(pool).await;
    let (id, run) = service.connected().await;
    let path = format!("/v1/integrations/{id}");

    let answer = service.delete(&path).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    service.get(&path).await.problem(404, "not_found");
    service.delete(&path).await.problem(404, "not_found");
    service.get(&format!("/v1/runs/{run}")).await.problem(404, "not_found");
    assert_eq!(service.count("integration_runs").await, 0);
}
