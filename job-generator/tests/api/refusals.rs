//! Everything that is refused is a problem, and says nothing of our insides.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request};
use serde_json::json;
use sqlx::PgPool;

use crate::service::{Service, TOKEN, asking, forum};
use crate::toy::Mood;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn without_a_token_of_ours_nobody_is_let_in(pool: PgPool) {
    let service = Service::start(pool).await;
    let (id, run) = service.connected().await;
    let paths = [
        (Method::GET, "/v1/integrations".to_owned()),
        (Method::POST, "/v1/integrations".into()),
        (Method::GET, format!("/v1/integrations/{id}")),
        (Method::PATCH, format!("/v1/integrations/{id}")),
        (Method::DELETE, format!("/v1/integrations/{id}")),
        (Method::POST, format!("/v1/integrations/{id}/pause")),
        (Method::POST, format!("/v1/integrations/{id}/resume")),
        (Method::POST, format!("/v1/integrations/{id}/runs")),
        (Method::GET, "/v1/runs".into()),
        (Method::GET, format!("/v1/runs/{run}")),
        (Method::GET, format!("/v1/runs/{run}/streams")),
        (Method::GET, format!("/v1/runs/{run}/explain")),
        (Method::POST, format!("/v1/runs/{run}/continue")),
    ];
    for (method, path) in paths {
        for token in
            [None, Some("Bearer"), Some("Bearer "), Some("Bearer x"), Some("Basic x"), Some(TOKEN)]
        {
            let mut request = asking(method.clone(), &path, TOKEN, None);
            request.headers_mut().remove(AUTHORIZATION);
            if let Some(token) = token {
                request.headers_mut().insert(AUTHORIZATION, token.parse().expect("a header"));
            }
            let answer = service.ask(request).await;
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{method} {path}");
            answer.problem(401, "unauthenticated");
        }
    }
    service.get(&format!("/v1/integrations/{id}")).await.expect(200);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_belongs_to_another_tenant_is_not_there(pool: PgPool) {
    let service = Service::start(pool).await;
    let (id, run) = service.of_another_tenant().await;
    let settings = json!({"settings": {"organization": "acme"}});
    let asked = [
        (Method::GET, format!("/v1/integrations/{id}"), None),
        (Method::PATCH, format!("/v1/integrations/{id}"), Some(settings)),
        (Method::DELETE, format!("/v1/integrations/{id}"), None),
        (Method::POST, format!("/v1/integrations/{id}/pause"), None),
        (Method::POST, format!("/v1/integrations/{id}/resume"), None),
        (Method::POST, format!("/v1/integrations/{id}/runs"), Some(json!({"mode": "check"}))),
        (Method::GET, format!("/v1/runs/{run}"), None),
        (Method::GET, format!("/v1/runs/{run}/streams"), None),
        (Method::GET, format!("/v1/runs/{run}/explain"), None),
        (Method::POST, format!("/v1/runs/{run}/continue"), None),
    ];
    for (method, path, body) in asked {
        let request = asking(method, &path, TOKEN, body);
        service.ask(request).await.problem(404, "not_found");
    }
    for list in ["/v1/integrations".to_owned(), format!("/v1/runs?integration_id={id}")] {
        assert_eq!(service.get(&list).await.expect(200)["data"], json!([]));
    }
    let theirs = asking(Method::GET, &format!("/v1/integrations/{id}"), "token-of-globex", None);
    assert_eq!(service.ask(theirs).await.expect(200)["status"], "active");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn ids_that_are_none_are_refused_by_name(pool: PgPool) {
    let service = Service::start(pool).await;
    let paths = [
        "/v1/integrations/7",
        "/v1/runs/7",
        "/v1/runs/7/streams",
        "/v1/runs/7/explain",
        "/v1/runs/%FF",
        "/v1/runs/%00",
    ];
    for path in paths {
        let problem = service.get(path).await.problem(400, "invalid_parameter");
        assert_eq!(problem["field"], "id", "{problem}");
    }
    let posted = [
        "/v1/runs/7/continue",
        "/v1/integrations/7/runs",
        "/v1/integrations/7/pause",
        "/v1/integrations/7/resume",
    ];
    for path in posted {
        let problem = service.post(path, json!({})).await.problem(400, "invalid_parameter");
        assert_eq!(problem["field"], "id", "{problem}");
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_is_not_there_is_not_there(pool: PgPool) {
    let service = Service::start(pool).await;
    for path in ["/", "/v1", "/v2/runs", "/v1/integrations/", "/v1/runs/7/8/9"] {
        service.get(path).await.problem(404, "not_found");
    }
    let unknown = uuid::Uuid::nil();
    service.get(&format!("/v1/runs/{unknown}")).await.problem(404, "not_found");
    service.get(&format!("/v1/integrations/{unknown}")).await.problem(404, "not_found");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_method_that_does_not_fit_is_told_which_do(pool: PgPool) {
    let service = Service::start(pool).await;
    let answer = service.delete("/v1/runs").await;
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    answer.problem(405, "method_not_allowed");
    let answer = service.post("/openapi.json", json!({})).await;
    answer.problem(405, "method_not_allowed");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn bodies_that_are_not_what_they_should_be_are_refused(pool: PgPool) {
    let service = Service::start(pool).await;
    for body in ["", "{", "[1,]", "{\"kind\": \"\\ud800\"}", &"[".repeat(100_000)] {
        service.ask(posting("application/json", body)).await.problem(400, "malformed_json");
    }
    let fields = [
        (json!([]), ""),
        (json!({"settings": {}}), "kind"),
        (json!({"kind": 7, "settings": {}}), "kind"),
        (json!({"kind": "forum"}), "settings"),
        (json!({"kind": "forum", "settings": {}, "units": ["a", 7]}), "units[1]"),
        (json!({"kind": "forum", "settings": {}, "tenant_id": "x"}), "tenant_id"),
    ];
    for (body, field) in fields {
        let problem = service.post("/v1/integrations", body).await.problem(422, "invalid_field");
        assert_eq!(problem["field"], field, "{problem}");
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let body = forum("acme").to_string();
        let answer = service.ask(posting(content_type, &body)).await;
        answer.problem(415, "unsupported_media_type");
    }
    let charset = posting("Application/JSON; charset=utf-8", &forum("acme").to_string());
    service.ask(charset).await.expect(201);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_body_above_a_mebibyte_is_not_read(pool: PgPool) {
    let service = Service::start(pool).await;
    let body = |padding: usize| {
        let mut body = forum("acme").to_string();
        body.extend(std::iter::repeat_n(' ', padding - body.len()));
        posting("application/json", &body)
    };
    service.ask(body((1 << 20) + 1)).await.problem(413, "too_large");
    service.ask(body(1 << 20)).await.expect(201);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_panic_is_an_answer_and_tells_nothing(pool: PgPool) {
    let service = Service::start(pool).await;
    service.platform.be(Mood::Panicking);
    let answer = service.post("/v1/integrations", forum("acme")).await;
    assert!(!answer.text.contains("secret-table"), "{}", answer.text);
    answer.problem(500, "internal");
    service.platform.be(Mood::Content);
    service.post("/v1/integrations", forum("acme")).await.expect(201);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_database_that_is_away_is_to_be_waited_for(pool: PgPool) {
    let service = Service::start(pool).await;
    service.store.pool().close().await;
    let answer = service.get("/v1/runs").await;
    assert_eq!(answer.header("retry-after"), Some("1"));
    answer.problem(503, "unavailable");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_database_that_is_being_stopped_is_to_be_waited_for_too(pool: PgPool) {
    let service = Service::start(pool).await;
    service.connected().await;
    let stopping = "alter table integration_runs rename to runs_there;
        create function stopping() returns boolean language plpgsql as
            $$ begin raise 'terminating connection' using errcode = 'admin_shutdown'; end $$;
        create view integration_runs as select * from runs_there where stopping()";
    sqlx::raw_sql(stopping).execute(service.store.pool()).await.expect("a view");
    let answer = service.get("/v1/runs").await;
    assert_eq!(answer.header("retry-after"), Some("1"));
    answer.problem(503, "unavailable");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_statement_that_fails_is_our_mistake_and_tells_nothing(pool: PgPool) {
    let service = Service::start(pool).await;
    sqlx::query("drop table integration_runs cascade")
        .execute(service.store.pool())
        .await
        .expect("a table to drop");
    let answer = service.get("/v1/runs").await;
    assert!(!answer.text.contains("integration_runs"), "{}", answer.text);
    answer.problem(500, "internal");
}

fn posting(content_type: &str, body: &str) -> Request<Body> {
    Request::post("/v1/integrations")
        .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
        .header(CONTENT_TYPE, content_type)
        .body(Body::from(body.to_owned()))
        .expect("a request")
}
