//! `millrace connect`

use std::fs;

use sandbox::devto::{Community, Devto};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::domain::TenantId;
use shared::message::Message;
use shared::store::Store;
use sqlx::PgPool;
use uuid::Uuid;

use crate::millrace::Millrace;
use crate::posted::messages;

/// A dev.to with one organization.
async fn devto() -> Devto {
    let mut community = Community::empty();
    community.add_organization("acme", "Acme");
    Devto::serve(community).await.unwrap()
}

async fn add_tenant(pool: &PgPool) -> (Store, TenantId) {
    let store = Store::new(pool.clone(), Clock::System);
    let tenant = store.add_tenant("acme", "a token").await.unwrap();
    (store, tenant.id)
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_integration_that_its_platform_confirms_is_connected_and_its_onboarding_posted(
    pool: PgPool,
) {
    let (devto, (store, tenant)) = (devto().await, add_tenant(&pool).await);
    let connect = ["connect", "devto", "--tenant", "acme", "--devto-url", &devto.url(), "--json"];
    let settings = ["--settings", r#"{"organizations": ["acme"]}"#, "--unit", "organization/acme"];

    let connected = Millrace::on(&pool).run(&[&connect[..], &settings].concat()).await;

    let connected: Value = connected.json();
    assert_eq!(connected["integration"]["settings"], json!({ "organizations": ["acme"] }));
    assert_eq!(connected["integration"]["units"], json!(["organization/acme"]));
    assert_eq!(connected["run"]["mode"], "onboarding");
    let stored = store.integrations(Some(tenant), Some("devto"), None, 10).await.unwrap();
    assert_eq!(connected["integration"]["id"], stored[0].id.to_string());
    let run = connected["run"]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(messages(&pool).await, [Message::Process { run, stream: None }]);
    assert_eq!(store.due_messages(10).await.unwrap(), []);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_integration_that_its_platform_does_not_know_is_not_connected(pool: PgPool) {
    let (devto, (store, _)) = (devto().await, add_tenant(&pool).await);
    let connect = ["connect", "devto", "--tenant", "acme", "--devto-url", &devto.url()];
    let settings = ["--settings", r#"{"organizations": ["nobody"]}"#];

    let refused = Millrace::on(&pool).run(&[&connect[..], &settings].concat()).await;

    let refused = refused.refusal(1);
    assert!(refused.contains("`devto` does not confirm these settings: "), "{refused}");
    assert!(refused.contains("organization `nobody`"), "{refused}");
    assert!(store.integrations(None, None, None, 10).await.unwrap().is_empty());
    assert_eq!(messages(&pool).await, []);
}

#[tokio::test]
async fn every_mistake_is_named_at_once() {
    let arguments = ["connect", "coffee", "--tenant", "acme", "--settings", "{"];
    let more = ["--tick-seconds", "0", "--visibility-seconds", "soon"];
    let refusal = Millrace::at("").run(&[&arguments[..], &more].concat()).await.refusal(2);
    for mistake in [
        "--database-url: is missing",
        "--tick-seconds: must be at least one second",
        "--visibility-seconds: `soon` is not valid",
        "--settings: is not JSON",
        "<KIND>: unknown integration `coffee` (registered: ",
    ] {
        assert!(refusal.contains(mistake), "`{mistake}` is missing in:\n{refusal}");
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn settings_that_cannot_be_read_are_a_mistake(pool: PgPool) {
    let millrace = Millrace::on(&pool);
    let connect = ["connect", "devto", "--tenant", "acme"];
    let refusal = async |settings: [&str; 2]| {
        millrace.run(&[&connect[..], &settings].concat()).await.refusal(2)
    };
    let no_json = refusal(["--settings", "users=ada"]).await;
    assert!(no_json.contains("--settings: is not JSON: expected value"), "{no_json}");
    let nothing_came = refusal(["--settings-file", "-"]).await;
    assert!(nothing_came.contains("--settings-file: is not JSON: EOF"), "{nothing_came}");
    let no_file = refusal(["--settings-file", "/nowhere/settings.json"]).await;
    assert!(no_file.contains("--settings-file: No such file"), "{no_file}");

    let file = std::env::temp_dir().join(format!("{}.json", Uuid::new_v4()));
    fs::write(&file, "{ users }").unwrap();
    let broken = refusal(["--settings-file", file.to_str().unwrap()]).await;
    fs::remove_file(&file).unwrap();
    assert!(broken.contains("--settings-file: is not JSON: key must be a string"), "{broken}");
}
