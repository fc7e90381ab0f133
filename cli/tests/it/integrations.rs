//! `millrace integrations`

use serde_json::Value;
use shared::domain::{IntegrationId, IntegrationStatus};
use sqlx::PgPool;

use crate::millrace::Millrace;
use crate::story::Story;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn integrations_are_listed_by_tenant_and_kind(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    let other = acme.store.add_tenant("other", "a token").await.unwrap();
    let others = Story::of(acme.store.clone(), other).await;

    let millrace = Millrace::on(&pool);
    let all = millrace.run(&["integrations"]).await.ok();
    assert!(all.contains(&acme.integration.id.to_string()), "{all}");
    assert!(all.contains(&others.integration.id.to_string()), "{all}");
    let of_acme = millrace.run(&["integrations", "--tenant", "acme"]).await.ok();
    assert_eq!(of_acme.lines().count(), 2, "{of_acme}");
    let row: Vec<_> = of_acme.lines().nth(1).unwrap().split_whitespace().take(4).collect();
    assert_eq!(row, [&acme.integration.id.to_string(), "acme", "devto", "active"]);
    let of_slack: Value = millrace.run(&["integrations", "--kind", "slack", "--json"]).await.json();
    assert_eq!(of_slack, serde_json::json!([]));
    let unknown = millrace.run(&["integrations", "--kind", "x"]).await.refusal(2);
    assert!(unknown.contains("--kind: ") && unknown.contains("registered: devto, "), "{unknown}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn for_scripts_an_integration_is_an_object(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    let listed: Value = Millrace::on(&pool).run(&["integrations", "--json"]).await.json();
    assert_eq!(listed[0]["id"], acme.integration.id.to_string());
    assert_eq!(listed[0]["tenant_id"], acme.tenant.id.to_string());
    assert_eq!(listed[0]["settings"], acme.integration.settings);
    assert_eq!(listed[0]["status"], "active");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_integration_is_paused_resumed_and_deleted(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    let id = acme.integration.id.to_string();
    let millrace = Millrace::on(&pool);
    let status = async || {
        let integration = acme.store.integration(acme.integration.id).await.unwrap();
        integration.map(|integration| integration.status)
    };

    let answer = millrace.run(&["integrations", "pause", &id]).await.ok();
    assert_eq!(answer, format!("integration {id} is paused\n"));
    assert_eq!(status().await, Some(IntegrationStatus::Paused));
    millrace.run(&["integrations", "resume", &id]).await.ok();
    assert_eq!(status().await, Some(IntegrationStatus::Active));
    millrace.run(&["integrations", "delete", &id]).await.ok();
    assert_eq!(status().await, None);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_is_not_there_cannot_be_changed(pool: PgPool) {
    let millrace = Millrace::on(&pool);
    let unknown = IntegrationId::new().to_string();
    for change in ["pause", "resume", "delete"] {
        let refusal = millrace.run(&["integrations", change, &unknown]).await.refusal(1);
        assert_eq!(refusal, format!("error: there is no integration {unknown}\n"));
        let refusal = millrace.run(&["integrations", change, "seven"]).await.refusal(2);
        assert!(refusal.contains("invalid value 'seven' for '<ID>'"), "{refusal}");
    }
}
