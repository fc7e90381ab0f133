//! Credentials are brought, looked at, replaced, taken away, and used by integrations that need one.

use axum::http::Method;
use serde_json::{Value, json};
use shared::domain::CredentialState;
use shared::store::{IdempotencyKey, TakenKey};
use shared::vault::{Vault, credential_from_json};
use sqlx::PgPool;

use crate::service::{Answer, Service, TOKEN, ask, asking, forum, id_of, text};
use crate::toy::Mood;

const SECRET: &str = "quillwort-1";

fn credential(secret: &str) -> Value {
    json!({ "platform": "club", "credential": { "type": "secret", "secret": secret } })
}

fn club(credential: &Value) -> Value {
    json!({ "kind": "club", "settings": {}, "credential_id": credential["id"] })
}

async fn added(service: &Service) -> Value {
    service.post("/v1/credentials", credential(SECRET)).await.expect(201)
}

#[track_caller]
fn tells_nothing(answer: Answer) -> Answer {
    assert!(!answer.text.contains("quillwort"), "{}", answer.text);
    answer
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_credential_is_brought_and_shown_without_its_secret(pool: PgPool) {
    let mut service = Service::start(pool).await;

    let answer = tells_nothing(service.post("/v1/credentials", credential(SECRET)).await);

    let location = answer.header("location").expect("where it is").to_owned();
    let added = answer.expect(201);
    assert_eq!(location, format!("/v1/credentials/{}", text(&added["id"])));
    assert_eq!(service.asked.try_recv().expect("the platform was asked"), "whose is it?");
    let mut shown = added.clone();
    shown["id"] = json!("…");
    insta::assert_json_snapshot!(shown, @r#"
    {
      "created_at": "2024-05-01T12:00:00Z",
      "expires_at": null,
      "id": "…",
      "organization": {
        "id": "C1",
        "name": "The Club"
      },
      "platform": "club",
      "renewed_at": null,
      "state": "valid",
      "state_reason": null,
      "type": "secret",
      "updated_at": "2024-05-01T12:00:00Z"
    }
    "#);
    assert_eq!(tells_nothing(service.get(&location).await).expect(200), added);
    let listed = tells_nothing(service.get("/v1/credentials?platform=club").await).expect(200);
    assert_eq!(listed, json!({ "data": [added], "next_cursor": null }));
    let others = service.get("/v1/credentials?platform=forum").await.expect(200);
    assert_eq!(others["data"], json!([]));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_integration_that_needs_a_credential_is_connected_with_one_that_fits(pool: PgPool) {
    let service = Service::start(pool).await;
    let known = added(&service).await;
    let connected = service.post("/v1/integrations", club(&known)).await.expect(201);
    assert_eq!(connected["integration"]["credential_id"], known["id"]);

    let other = service.post("/v1/credentials", credential("quillwort-2")).await.expect(201);
    let path = format!("/v1/integrations/{}", id_of(&connected["integration"]));
    let change = json!({ "credential_id": other["id"] });
    assert_eq!(service.patch(&path, change).await.expect(200)["credential_id"], other["id"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_credential_that_does_not_fit_is_refused_by_the_fields_name(pool: PgPool) {
    let service = Service::start(pool).await;
    let known = added(&service).await;
    let fields = json!({ "type": "fields", "fields": { "token": "quillwort" } });
    let of_fields = json!({ "platform": "club", "credential": fields });
    let of_fields = service.post("/v1/credentials", of_fields).await.expect(201);
    let nobodys = json!({ "id": "0193a1b2-0000-7000-8000-000000000000" });
    let mut open = forum("acme");
    open["credential_id"] = known["id"].clone();
    let mut elsewhere = club(&known);
    elsewhere["kind"] = json!("pub");

    let cases = [
        (
            json!({ "kind": "club", "settings": {} }),
            "`club` needs a credential for `club` of type secret",
        ),
        (open, "`forum` is open to everybody and takes no credential"),
        (club(&nobodys), "there is no credential 0193a1b2-0000-7000-8000-000000000000"),
        (club(&of_fields), "it is of type fields, and `club` needs one of type secret"),
        (elsewhere, "it is a credential for `club`, and `pub` needs one for `pub`"),
    ];
    for (wanted, why) in cases {
        let problem =
            service.post("/v1/integrations", wanted).await.problem(422, "wrong_credential");
        assert_eq!((&problem["field"], text(&problem["detail"])), (&json!("credential_id"), why));
    }
    let unfit = json!({ "kind": "club", "settings": {}, "credential_id": nobodys["id"] });
    let unfit = service.post("/v1/integrations/discover", unfit).await;
    unfit.problem(422, "wrong_credential");
    assert_eq!(service.count("discoveries").await, 0);
    let fit = service.post("/v1/integrations/discover", club(&known)).await.expect(202);
    assert_eq!(fit["status"], "PENDING");

    service.store.add_tenant("globex", "token-of-globex").await.expect("a tenant");
    let request = asking(Method::POST, "/v1/integrations", "token-of-globex", Some(club(&known)));
    service.ask(request).await.problem(422, "wrong_credential");
    assert_eq!(service.count("integrations").await, 0);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_cannot_be_a_credential_is_refused_without_quoting_it(pool: PgPool) {
    let service = Service::start(pool).await;
    let cases = [
        (json!("quillwort"), "credential"),
        (json!({ "type": "quillwort" }), "credential"),
        (json!({ "type": "secret", "secret": 7, "quillwort": 1 }), "credential"),
        (json!({ "type": "oauth2", "client_id": "c", "access_token": "quillwort" }), "credential"),
        (json!({ "type": "secret", "secret": "quillwort".repeat(2_000) }), "credential"),
    ];
    for (credential, field) in cases {
        let wanted = json!({ "platform": "club", "credential": credential });
        let answer = tells_nothing(service.post("/v1/credentials", wanted).await);
        assert_eq!(answer.problem(422, "wrong_credential")["field"], field);
    }
    let elsewhere =
        json!({ "platform": "forum", "credential": { "type": "secret", "secret": "s" } });
    let problem = service.post("/v1/credentials", elsewhere).await.problem(422, "wrong_credential");
    assert_eq!(problem["field"], "platform");
    assert_eq!(service.count("credentials").await, 0);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_the_platform_says_of_a_credential_is_passed_on(pool: PgPool) {
    let service = Service::start(pool).await;
    for (mood, status, name) in [
        (Mood::Unauthorized, 422, "refused_by_platform"),
        (Mood::RateLimited, 503, "platform_rate_limit"),
        (Mood::Broken, 502, "platform_unavailable"),
    ] {
        service.platform.be(mood);
        service.post("/v1/credentials", credential(SECRET)).await.problem(status, name);
    }
    assert_eq!(service.count("credentials").await, 0);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_credential_sent_twice_is_added_once_and_another_is_another_request(pool: PgPool) {
    let service = Service::start(pool).await;
    let send =
        async |secret| service.post_with_key("/v1/credentials", "a key", credential(secret)).await;
    let first = send(SECRET).await.expect(201);
    assert_eq!(send(SECRET).await.expect(201), first);
    send("quillwort-2").await.problem(422, "key_sent_with_another_request");
    assert_eq!(service.count("credentials").await, 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_credential_that_is_being_added_is_not_added_beside_it_before_it_can_be_over(
    pool: PgPool,
) {
    let mut service = Service::start(pool).await;
    service.platform.be(Mood::Hesitant);
    let mut slow = asking(Method::POST, "/v1/credentials", TOKEN, Some(credential(SECRET)));
    slow.headers_mut().insert("idempotency-key", "a key".parse().expect("a header"));
    let slow = tokio::spawn(ask(service.router.clone(), slow));
    service.asked.recv().await.expect("it asks the platform");

    service.clock.advance(Vault::ADDING_AT_MOST);
    let again = service.store.take_key(&key(&service)).await.expect("the database");
    assert_eq!(again, TakenKey::Held);

    service.platform.permits.add_permits(1);
    slow.await.expect("no panic").expect(201);
}

/// The key as the API takes it when it is asked to add the secret.
fn key(service: &Service) -> IdempotencyKey {
    let secret = credential_from_json(credential(SECRET)["credential"].clone()).expect("one");
    let fingerprint = service.vault.fingerprint(&secret).expect("a master key");
    let asked = json!(["add_credential", "club", fingerprint]).to_string();
    IdempotencyKey::new(service.tenant, "a key", asked.as_bytes())
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_replacement_makes_it_valid_again_and_wakes_what_uses_it(pool: PgPool) {
    let service = Service::start(pool).await;
    let known = added(&service).await;
    let connected = service.post("/v1/integrations", club(&known)).await.expect(201);
    let id = text(&known["id"]).parse().expect("an id");
    service.vault.refuse(id, 0, "401").await.expect("the database");
    let path = format!("/v1/credentials/{id}");
    let shown = service.get(&path).await.expect(200);
    assert_eq!((&shown["state"], &shown["state_reason"]), (&json!("revoked"), &json!("401")));
    let integration = format!("/v1/integrations/{}", id_of(&connected["integration"]));
    assert_eq!(service.get(&integration).await.expect(200)["status"], "needs_reconnect");
    let refused = service.post("/v1/integrations", club(&known)).await;
    let refused = refused.problem(422, "wrong_credential");
    assert_eq!(refused["detail"], "it is revoked, and must be replaced first: 401");

    let other = json!({ "credential": { "type": "secret", "secret": "quillwort-2" } });
    let replaced = tells_nothing(service.patch(&path, other).await).expect(200);

    assert_eq!((&replaced["state"], &replaced["state_reason"]), (&json!("valid"), &Value::Null));
    assert_eq!(service.get(&integration).await.expect(200)["status"], "active");
    let fields = json!({ "credential": { "type": "fields", "fields": {} } });
    let unsuitable = service.patch(&path, fields).await.problem(422, "wrong_credential");
    assert!(text(&unsuitable["detail"]).contains("kind `club` uses it"), "{unsuitable}");
    let known = service.store.credential(id).await.expect("the database").expect("one");
    assert_eq!(known.state, CredentialState::Valid);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_credential_is_deleted_once_nothing_uses_it(pool: PgPool) {
    let service = Service::start(pool).await;
    let known = added(&service).await;
    let connected = service.post("/v1/integrations", club(&known)).await.expect(201);
    let path = format!("/v1/credentials/{}", id_of(&known));
    let integration = id_of(&connected["integration"]);
    let problem = service.delete(&path).await.problem(409, "credential_in_use");
    assert!(text(&problem["detail"]).contains(&integration), "{problem}");

    service.delete(&format!("/v1/integrations/{integration}")).await.expect(204);
    service.delete(&path).await.expect(204);
    service.get(&path).await.problem(404, "not_found");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn another_tenants_credential_is_not_there(pool: PgPool) {
    let service = Service::start(pool).await;
    let id = id_of(&added(&service).await);
    service.store.add_tenant("globex", "token-of-globex").await.expect("a tenant");
    let other = json!({ "credential": { "type": "secret", "secret": "quillwort-2" } });
    for (method, body) in [("GET", None), ("PATCH", Some(other)), ("DELETE", None)] {
        let method = method.parse().expect("a method");
        let path = format!("/v1/credentials/{id}");
        let request = asking(method, &path, "token-of-globex", body);
        service.ask(request).await.problem(404, "not_found");
    }
    let request = asking(Method::GET, "/v1/credentials", "token-of-globex", None);
    assert_eq!(service.ask(request).await.expect(200)["data"], json!([]));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_service_without_master_keys_says_what_is_missing(pool: PgPool) {
    let mut service = Service::start_without_master_keys(pool).await;
    let answer = service.post("/v1/credentials", credential(SECRET)).await;
    let problem = tells_nothing(answer).problem(503, "no_master_key");
    assert!(text(&problem["detail"]).contains("MASTER_KEYS"), "{problem}");
    service.asked.try_recv().expect_err("the platform is not asked for nothing");
    service.connected().await;
}
