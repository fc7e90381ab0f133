//! `millrace discover`

use std::time::Duration;

use serde_json::{Value, json};
use shared::clock::Clock;
use shared::domain::{DiscoveryId, ExternalSyncUnit};
use shared::message::Message;
use shared::store::Store;
use sqlx::PgPool;

use crate::millrace::{Millrace, Running};
use crate::posted::messages;

const DISCOVER: [&str; 6] =
    ["discover", "devto", "--tenant", "acme", "--settings", r#"{"users": ["ada"]}"#];
const LEASE: Duration = Duration::from_secs(600);

async fn store(pool: &PgPool) -> Store {
    let store = Store::new(pool.clone(), Clock::System);
    store.add_tenant("acme", "a token").await.unwrap();
    store
}

/// The discovery that was asked for.
async fn asked(pool: &PgPool, running: &mut Running) -> DiscoveryId {
    assert_eq!(running.complaint().await, "waiting for a worker …");
    let messages = messages(pool).await;
    let [Message::Discover { discovery }] = messages[..] else { panic!("{messages:?}") };
    discovery
}

fn ada() -> ExternalSyncUnit {
    ExternalSyncUnit {
        id: "user/ada".into(),
        name: "Ada".into(),
        description: Some("Writes about\nengines".into()),
        item_count: None,
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_a_worker_finds_is_shown_as_a_table(pool: PgPool) {
    let store = store(&pool).await;
    let mut discovering = Millrace::on(&pool).start(&DISCOVER);
    let discovery = asked(&pool, &mut discovering).await;
    let claimed = store.claim_discovery(discovery, LEASE).await.unwrap().unwrap();
    assert_eq!(discovering.complaint().await, "asking devto …");
    store.finish_discovery(claimed.lease, &[ada()], 1).await.unwrap();

    let (table, ended) = discovering.end().await;
    assert_eq!(ended.code(), Some(0));
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let table: Vec<String> = table.iter().map(|line| words(line)).collect();
    assert_eq!(table, ["UNIT NAME ITEMS DESCRIPTION", "user/ada Ada ? Writes about engines"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_a_worker_finds_is_told_in_json_if_that_is_wanted(pool: PgPool) {
    let store = store(&pool).await;
    let mut discovering = Millrace::on(&pool).start(&[&DISCOVER[..], &["--json"]].concat());
    let discovery = asked(&pool, &mut discovering).await;
    let claimed = store.claim_discovery(discovery, LEASE).await.unwrap().unwrap();
    store.finish_discovery(claimed.lease, &[ada()], 1).await.unwrap();

    let (answer, _) = discovering.end().await;
    let answer: Value = serde_json::from_str(&answer.join("\n")).unwrap();
    assert_eq!(answer[0]["id"], "user/ada");
    assert_eq!(answer[0]["item_count"], json!(null));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_discovery_without_a_list_says_why_and_exits_with_1(pool: PgPool) {
    let store = store(&pool).await;
    let mut discovering = Millrace::on(&pool).start(&DISCOVER);
    let discovery = asked(&pool, &mut discovering).await;
    let claimed = store.claim_discovery(discovery, LEASE).await.unwrap().unwrap();
    assert_eq!(discovering.complaint().await, "asking devto …");
    store.fail_discovery(claimed.lease, "dev.to knows no user `ada`", 1).await.unwrap();

    assert_eq!(discovering.complaint().await, "error: dev.to knows no user `ada`");
    let (_, ended) = discovering.end().await;
    assert_eq!(ended.code(), Some(1));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn settings_that_do_not_fit_are_not_sent_to_anybody(pool: PgPool) {
    store(&pool).await;
    let misspelt = ["discover", "devto", "--tenant", "acme", "--settings", r#"{"user": "ada"}"#];
    let refused = Millrace::on(&pool).run(&misspelt).await.refusal(2);
    assert!(refused.contains("`user`"), "{refused}");
    assert!(messages(&pool).await.is_empty());
}
