//! `Idempotency-Key`: whatever happens in between, what is sent twice is done once.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use shared::store::{HeldKey, IdempotencyKey, TakenKey};
use sqlx::PgPool;

use crate::service::{Service, TOKEN, ask, asking, forum};
use crate::toy::Mood;

const CONNECT: &str = "/v1/integrations";

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn the_same_request_again_is_answered_as_before(pool: PgPool) {
    let service = Service::start(pool).await;
    let first = service.post_with_key(CONNECT, "k", forum("acme")).await;
    let second = service.post_with_key(CONNECT, "k", forum("acme")).await;

    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(second.text, first.text, "letter by letter");
    assert_eq!(second.header("location"), first.header("location"));
    assert_eq!(second.header("content-type"), first.header("content-type"));
    assert_eq!(service.count("integrations").await, 1);
    assert_eq!(service.sent().await.len(), 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn the_answer_stays_the_same_when_what_was_made_has_changed(pool: PgPool) {
    let service = Service::start(pool).await;
    let first = service.post_with_key(CONNECT, "k", forum("acme")).await;
    let location = first.header("location").expect("where it is").to_owned();
    service.delete(&location).await.expect(204);
    let second = service.post_with_key(CONNECT, "k", forum("acme")).await;
    assert_eq!((second.status, second.text), (201, first.text));
    assert_eq!(service.count("integrations").await, 0);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_is_asked_for_once_per_key(pool: PgPool) {
    let service = Service::start(pool).await;
    let (id, _) = service.connected().await;
    let path = format!("{CONNECT}/{id}/runs");
    let first = service.post_with_key(&path, "k", json!({"mode": "check"})).await;
    let second = service.post_with_key(&path, "k", json!({"mode": "check"})).await;
    assert_eq!((first.status, second.status), (202, 202));
    assert_eq!(second.text, first.text);
    assert_eq!(second.header("idempotent-replayed"), Some("true"));

    service.delete(&format!("{CONNECT}/{id}")).await.expect(204);
    let third = service.post_with_key(&path, "k", json!({"mode": "check"})).await;
    assert_eq!((third.status, third.text), (202, first.text));
    let new = service.post_with_key(&path, "l", json!({"mode": "check"})).await;
    new.problem(404, "not_found");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_key_that_was_sent_with_another_request_is_refused(pool: PgPool) {
    let service = Service::start(pool).await;
    service.post_with_key(CONNECT, "k", forum("acme")).await.expect(201);
    let (id, _) = service.connected().await;
    let others = [
        (CONNECT.to_owned(), forum("initech")),
        (format!("{CONNECT}/{id}/runs"), json!({"mode": "check"})),
    ];
    for (path, body) in others {
        let answer = service.post_with_key(&path, "k", body).await;
        let problem = answer.problem(422, "key_sent_with_another_request");
        assert_eq!(problem["field"], "Idempotency-Key");
    }
    assert_eq!(service.count("integrations").await, 2);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_key_is_its_tenants(pool: PgPool) {
    let service = Service::start(pool).await;
    service.of_another_tenant().await;
    service.post_with_key(CONNECT, "k", forum("acme")).await.expect(201);
    let mut theirs = asking(Method::POST, CONNECT, "token-of-globex", Some(forum("initech")));
    theirs.headers_mut().insert("idempotency-key", "k".parse().expect("a header"));
    service.ask(theirs).await.expect(201);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_refused_request_leaves_no_key_and_can_be_mended(pool: PgPool) {
    let service = Service::start(pool).await;
    service.platform.be(Mood::Broken);
    let refused = service.post_with_key(CONNECT, "k", forum("acme")).await;
    refused.problem(502, "platform_unavailable");
    assert_eq!(service.count("idempotency_keys").await, 0);

    service.platform.be(Mood::Content);
    service.post_with_key(CONNECT, "k", forum("initech")).await.expect(201);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn requests_at_the_same_time_are_carried_out_once(pool: PgPool) {
    let mut service = Service::start(pool).await;
    service.platform.be(Mood::Hesitant);
    let together: Vec<_> = (0..5)
        .map(|_| tokio::spawn(ask(service.router.clone(), connecting("k", "acme"))))
        .collect();
    service.asked.recv().await.expect("one of them asks the platform");
    let other = service.post_with_key(CONNECT, "k", forum("initech")).await;
    other.problem(422, "key_sent_with_another_request");
    service.platform.permits.add_permits(5);

    let mut answers = Vec::new();
    for one in together {
        let answer = one.await.expect("no panic");
        assert_eq!(answer.status, 201, "{}", answer.text);
        answers.push(answer);
    }
    assert!(answers.iter().all(|answer| answer.text == answers[0].text));
    let replayed = answers.iter().filter(|one| one.header("idempotent-replayed").is_some());
    assert_eq!(replayed.count(), 4);
    service.asked.try_recv().expect_err("the platform was asked once");
    assert_eq!(service.count("integrations").await, 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_request_that_died_half_way_is_taken_over_at_the_end_of_its_hold(pool: PgPool) {
    let service = Service::start(pool).await;
    let key = key(&service, "k", &forum("acme"));
    held(&service, &key).await;
    assert_eq!(service.store.take_key(&key).await.expect("the database"), TakenKey::Held);

    service.clock.advance(IdempotencyKey::HOLD + Duration::from_secs(1));
    service.post_with_key(CONNECT, "k", forum("acme")).await.expect(201);
    assert_eq!(service.count("integrations").await, 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_request_that_was_taken_over_comes_to_nothing(pool: PgPool) {
    let mut service = Service::start(pool).await;
    service.platform.be(Mood::Hesitant);
    let slow = tokio::spawn(ask(service.router.clone(), connecting("k", "acme")));
    service.asked.recv().await.expect("it asks the platform");

    service.clock.advance(IdempotencyKey::HOLD + Duration::from_secs(1));
    service.platform.be(Mood::Content);
    let second = service.post_with_key(CONNECT, "k", forum("acme")).await;
    assert_eq!(second.status, 201);
    service.platform.permits.add_permits(1);

    let slow = slow.await.expect("no panic");
    assert_eq!(slow.header("retry-after"), Some("1"));
    slow.problem(409, "key_taken_over");
    assert_eq!(service.count("integrations").await, 1);
    let third = service.post_with_key(CONNECT, "k", forum("acme")).await;
    assert_eq!(third.text, second.text);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_key_is_forgotten_after_a_day(pool: PgPool) {
    let service = Service::start(pool).await;
    for key in ["k", "l"] {
        service.post_with_key(CONNECT, key, forum("acme")).await.expect(201);
    }
    service.clock.advance(IdempotencyKey::LIFE);
    let within = service.post_with_key(CONNECT, "k", forum("acme")).await;
    assert_eq!(within.header("idempotent-replayed"), Some("true"));

    service.clock.advance(Duration::from_secs(1));
    service.post_with_key(CONNECT, "k", forum("initech")).await.expect(201);
    assert_eq!(service.count("integrations").await, 3);
    assert_eq!(service.count("idempotency_keys").await, 1, "both old ones are forgotten");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn keys_that_are_none_are_refused(pool: PgPool) {
    let service = Service::start(pool).await;
    for key in ["", &"k".repeat(256), "schlüssel"] {
        let answer = service.post_with_key(CONNECT, key, forum("acme")).await;
        assert_eq!(answer.problem(400, "invalid_parameter")["field"], "Idempotency-Key");
    }
    service.post_with_key(CONNECT, &"k".repeat(255), forum("acme")).await.expect(201);
}

fn connecting(key: &str, organization: &str) -> Request<Body> {
    let mut request = asking(Method::POST, CONNECT, TOKEN, Some(forum(organization)));
    request.headers_mut().insert("idempotency-key", key.parse().expect("a header"));
    request
}

/// The key as the API takes it when it is asked to connect this.
fn key(service: &Service, key: &str, wanted: &Value) -> IdempotencyKey {
    let mut wanted = wanted.clone();
    wanted["units"] = json!([]);
    let asked = json!(["connect", wanted]).to_string();
    IdempotencyKey::new(service.tenant, key, asked.as_bytes())
}

async fn held(service: &Service, key: &IdempotencyKey) -> HeldKey {
    match service.store.take_key(key).await.expect("the database") {
        TakenKey::Ours(held) => held,
        other => panic!("{other:?}"),
    }
}
