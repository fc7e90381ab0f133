//! `millrace runs`

use serde_json::Value;
use shared::domain::{IntegrationId, RequestedBy, RunMode};
use sqlx::PgPool;

use crate::millrace::Millrace;
use crate::story::Story;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn runs_are_listed_newest_first_and_by_what_is_asked_for(pool: PgPool) {
    let mut acme = Story::begin(pool.clone()).await;
    let onboarding = acme.run;
    let lease = acme.list(&[]).await;
    acme.finish(lease).await;
    let asked = acme.store.request_run(acme.integration.id, RunMode::Check, RequestedBy::Cli).await;
    acme.run = asked.unwrap().unwrap().run;

    let millrace = Millrace::on(&pool);
    let runs = async |arguments: &[&str]| -> Vec<String> {
        let arguments = [&["runs", "--json"], arguments].concat();
        let runs: Vec<Value> = millrace.run(&arguments).await.json();
        runs.iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
    };
    let (newest, oldest) = (&*acme.run.to_string(), &*onboarding.to_string());
    assert_eq!(runs(&[]).await, [newest, oldest]);
    assert_eq!(runs(&["--limit", "1"]).await, [newest]);
    assert_eq!(runs(&["--state", "processed", "--tenant", "acme"]).await, [oldest]);
    let integration = acme.integration.id.to_string();
    assert_eq!(runs(&["--state", "pending", "--integration", &integration]).await, [newest]);
    assert!(runs(&["--integration", &IntegrationId::new().to_string()]).await.is_empty());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn for_people_a_run_is_a_row(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    let lease = acme.list(&[1]).await;
    acme.give_up(lease, "no such\narticle").await;
    acme.finish(lease).await;

    let listed = Millrace::on(&pool).run(&["runs"]).await.ok();
    let row: Vec<&str> = listed.lines().nth(1).unwrap().split_whitespace().collect();
    let begins =
        [&acme.run.to_string(), &acme.integration.id.to_string(), "devto", "onboarding", "error"];
    assert_eq!(row[..5], begins);
    assert!(listed.contains("ago)") || listed.contains("(now)"), "{listed}");
    assert!(
        listed.contains("1 of 1 streams failed; the first: comments: no such article"),
        "{listed}"
    );
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_state_that_no_run_has_is_a_mistake(pool: PgPool) {
    let refusal = Millrace::on(&pool).run(&["runs", "--state", "sleeping"]).await.refusal(2);
    assert!(refusal.contains("[possible values: pending, processing, delayed, processed, error]"));
}
