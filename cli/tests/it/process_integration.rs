//! `millrace process-integration`

use shared::domain::{IntegrationId, RunMode};
use shared::message::Message;
use sqlx::PgPool;

use crate::millrace::Millrace;
use crate::posted::{messages, received};
use crate::story::Story;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn each_integration_gets_a_message_in_the_group_of_its_tenant(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    let other = acme.store.add_tenant("other", "a token").await.unwrap();
    let others = Story::of(acme.store.clone(), other).await;
    let both = format!("{},{}", acme.integration.id, others.integration.id);

    let millrace = Millrace::on(&pool);
    let posted = millrace.run(&["process-integration", "-i", &both]).await.ok();

    assert_eq!(posted, "posted: 2 (check)\n");
    let received = received(&pool).await;
    for story in [&acme, &others] {
        let group = Some(story.tenant.id.to_string());
        let message = received.iter().find(|message| message.group == group).unwrap();
        let start = Message::Start { integration: story.integration.id, mode: RunMode::Check };
        assert_eq!(Message::decode(&message.body).unwrap(), start);
    }
    assert_eq!(received.len(), 2);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_kind_means_its_active_integrations(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    let paused = Story::of(acme.store.clone(), acme.tenant.clone()).await;
    paused.store.pause_integration(paused.integration.id).await.unwrap();

    let millrace = Millrace::on(&pool);
    let posted = millrace.run(&["process-integration", "-p", "devto", "--onboarding"]).await.ok();

    assert_eq!(posted, "posted: 1 (onboarding)\n");
    let start = Message::Start { integration: acme.integration.id, mode: RunMode::Onboarding };
    assert_eq!(messages(&pool).await, [start]);
    let refusal = millrace.run(&["process-integration", "--kind", "slack"]).await.refusal(1);
    assert!(refusal.contains("there is no active integration of kind `slack`"), "{refusal}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_unknown_integration_is_named_and_nothing_is_posted(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    let unknown = [IntegrationId::new(), IntegrationId::new()];
    let ids = format!("{},{},{}", unknown[0], acme.integration.id, unknown[1]);

    let millrace = Millrace::on(&pool);
    let refusal = millrace.run(&["process-integration", "-i", &ids]).await.refusal(1);

    assert!(refusal.contains(&unknown[0].to_string()), "{refusal}");
    assert!(refusal.contains(&unknown[1].to_string()), "{refusal}");
    assert!(!refusal.contains(&acme.integration.id.to_string()), "{refusal}");
    assert_eq!(messages(&pool).await, []);
    let refusal = millrace.run(&["process-integration", "-i", "1,2"]).await.refusal(2);
    assert!(refusal.contains("invalid value '1' for '--integration <ID>'"), "{refusal}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_paused_integration_is_warned_of(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    acme.store.pause_integration(acme.integration.id).await.unwrap();
    let id = acme.integration.id.to_string();

    let answer = Millrace::on(&pool).run(&["process-integration", "-i", &id]).await;

    let warning = format!("warning: integration {id} is not active: its run waits until it is\n");
    assert_eq!(answer.stderr, warning);
    assert_eq!(messages(&pool).await.len(), 1);
}
