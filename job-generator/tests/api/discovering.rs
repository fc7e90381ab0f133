//! What could be synced: asked for, and answered.

use std::time::Duration;

use serde_json::json;
use shared::domain::{DiscoveryId, ExternalSyncUnit};
use shared::message::Message;
use shared::store::DiscoveryLease;
use sqlx::PgPool;

use crate::service::{Service, id_of};

const PATH: &str = "/v1/integrations/discover";

fn acme() -> serde_json::Value {
    json!({"kind": "forum", "settings": {"organization": "acme"}})
}

async fn claim(service: &Service, id: DiscoveryId) -> DiscoveryLease {
    let claimed = service.store.claim_discovery(id, Duration::from_secs(60)).await;
    claimed.expect("an answer").expect("it is there to be claimed").lease
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_discovery_is_asked_for_and_answered_with_the_list(pool: PgPool) {
    let service = Service::start(pool).await;
    let answer = service.post(PATH, acme()).await;
    let location = answer.header("location").expect("where it is").to_owned();
    let asked = answer.expect(202);
    assert_eq!(location, format!("/v1/discoveries/{}", id_of(&asked)));
    assert_eq!((&asked["kind"], &asked["status"]), (&json!("forum"), &json!("PENDING")));
    let discovery: DiscoveryId = id_of(&asked).parse().expect("an id");
    assert_eq!(service.sent().await[0].body, Message::Discover { discovery }.encode());

    let unit = ExternalSyncUnit {
        id: "news".into(),
        name: "News".into(),
        description: None,
        item_count: None,
    };
    let lease = claim(&service, discovery).await;
    assert_eq!(service.get(&location).await.expect(200)["status"], "PENDING");
    service.store.finish_discovery(lease, &[unit], 1).await.expect("it ends");

    let done = service.get(&location).await.expect(200);
    assert_eq!(done["status"], "DONE");
    let news = json!([{"id": "news", "name": "News", "description": null, "item_count": null}]);
    assert_eq!(done["units"], news);
    assert!(done.get("reason").is_none(), "{done}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_discovery_that_fails_says_why_and_one_that_waits_says_until_when(pool: PgPool) {
    let service = Service::start(pool).await;
    let asked = service.post(PATH, acme()).await.expect(202);
    let discovery: DiscoveryId = id_of(&asked).parse().expect("an id");
    let path = format!("/v1/discoveries/{discovery}");

    let lease = claim(&service, discovery).await;
    let wait = Duration::from_secs(90);
    service.store.delay_discovery(lease, wait, Some("503"), 1).await.expect("it waits");
    let waiting = service.get(&path).await.expect(200);
    assert_eq!((&waiting["status"], &waiting["reason"]), (&json!("PENDING"), &json!("503")));
    assert_eq!(waiting["goes_on_at"], "2024-05-01T12:01:30Z");

    service.clock.advance(wait);
    let lease = claim(&service, discovery).await;
    service.store.fail_discovery(lease, "there is no `acme`", 1).await.expect("it ends");
    let failed = service.get(&path).await.expect(200);
    assert_eq!(failed["status"], "ERROR");
    assert_eq!(failed["reason"], "there is no `acme`");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_discovery_is_asked_for_once_per_key_and_forgotten_after_a_week(pool: PgPool) {
    let service = Service::start(pool).await;
    let first = service.post_with_key(PATH, "k", acme()).await.expect(202);
    let again = service.post_with_key(PATH, "k", acme()).await.expect(202);
    assert_eq!(first["id"], again["id"]);
    assert_eq!(service.count("discoveries").await, 1);

    service.clock.advance(Duration::from_secs(8 * 24 * 3600));
    let later = service.post(PATH, acme()).await.expect(202);
    assert_ne!(first["id"], later["id"]);
    assert_eq!(service.count("discoveries").await, 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_discovery_that_cannot_work_is_refused_and_nothing_is_stored(pool: PgPool) {
    let service = Service::start(pool).await;
    let misspelt = json!({"kind": "forum", "settings": {"organisation": "acme"}});
    let refused = service.post(PATH, misspelt).await.expect(422);
    assert_eq!(refused["field"], "settings.organisation");
    let unknown = service.post(PATH, json!({"kind": "myspace", "settings": {}})).await;
    let known = unknown.expect(422)["known_kinds"].clone();
    assert!(known.as_array().is_some_and(|known| known.contains(&json!("forum"))), "{known}");
    assert_eq!(service.count("discoveries").await, 0);
}
