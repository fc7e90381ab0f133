//! Runs: asked for, joined, looked at, continued.

use serde_json::json;
use shared::domain::{Lease, RawStream, RunId};
use shared::store::{Page, PageSource, RunFailure, StreamSetback};
use sqlx::PgPool;

use crate::service::{Service, id_of};

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_is_asked_for_and_a_second_trigger_joins_it(pool: PgPool) {
    let service = Service::start(pool).await;
    let (id, onboarding) = service.connected().await;
    let path = format!("/v1/integrations/{id}/runs");
    finish(&service, onboarding).await;
    service.sent().await;

    let answer = service.post(&path, json!({"mode": "check"})).await;
    let location = answer.header("location").expect("where it is").to_owned();
    let first = answer.expect(202);
    assert_eq!(location, format!("/v1/runs/{}", id_of(&first)));
    assert_eq!(first["mode"], "check");
    assert_eq!(first["requested_by"], "api");
    assert_eq!((&first["joined"], &first["onboarding_follows"]), (&json!(false), &json!(false)));
    assert_eq!(service.sent().await.len(), 1);

    let second = service.post(&path, json!({"mode": "check"})).await.expect(202);
    assert_eq!(second["id"], first["id"]);
    assert_eq!((&second["joined"], &second["onboarding_follows"]), (&json!(true), &json!(false)));
    let third = service.post(&path, json!({"mode": "onboarding"})).await.expect(202);
    assert_eq!(third["id"], first["id"]);
    assert_eq!((&third["joined"], &third["onboarding_follows"]), (&json!(true), &json!(true)));
    assert!(service.sent().await.is_empty(), "a live run has its message");
    let integration = service.get(&format!("/v1/integrations/{id}")).await.expect(200);
    assert_eq!(integration["onboarding_wanted"], true);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn the_run_of_a_paused_integration_is_made_and_not_sent(pool: PgPool) {
    let service = Service::start(pool).await;
    let (id, onboarding) = service.connected().await;
    finish(&service, onboarding).await;
    service.post(&format!("/v1/integrations/{id}/pause"), json!({})).await.expect(200);
    service.sent().await;

    let path = format!("/v1/integrations/{id}/runs");
    let run = service.post(&path, json!({"mode": "check"})).await.expect(202);
    assert_eq!(run["state"], "pending");
    assert!(service.sent().await.is_empty());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_mode_that_does_not_exist_is_refused_by_name(pool: PgPool) {
    let service = Service::start(pool).await;
    let (id, _) = service.connected().await;
    let path = format!("/v1/integrations/{id}/runs");
    for body in [json!({"mode": "everything"}), json!({})] {
        let problem = service.post(&path, body).await.problem(422, "invalid_field");
        assert_eq!(problem["field"], "mode");
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_is_shown_with_its_streams_records_and_requests(pool: PgPool) {
    let service = Service::start(pool).await;
    let (_, run) = service.connected().await;
    half_done(&service, run).await;

    let shown = service.get(&format!("/v1/runs/{run}")).await.expect(200);
    assert_eq!(shown["state"], "processing");
    assert_eq!(
        shown["streams"],
        json!({"pending": 1, "processing": 0, "processed": 1, "failed": 1})
    );
    assert_eq!((&shown["records"], &shown["requests"]), (&json!(0), &json!(4 + 2 + 3)));

    let path = format!("/v1/runs/{run}/streams");
    let all = service.get(&path).await.expect(200);
    assert_eq!(all["data"].as_array().map(Vec::len), Some(3));
    let failed = service.get(&format!("{path}?state=error")).await.expect(200);
    assert_eq!(failed["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(failed["data"][0]["error"], "answered 404");
    assert_eq!(failed["data"][0]["name"], "articles");
    assert_eq!(failed["data"][0]["payload"]["stream"], "articles");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn runs_are_listed_by_integration_and_state(pool: PgPool) {
    let service = Service::start(pool).await;
    let (first, ended) = service.connected().await;
    finish(&service, ended).await;
    let check = service
        .post(&format!("/v1/integrations/{first}/runs"), json!({"mode": "check"}))
        .await
        .expect(202);
    let (_, other) = service.connected().await;
    service.of_another_tenant().await;

    let ids = async |query: &str| {
        let page = service.get(&format!("/v1/runs{query}")).await.expect(200);
        page["data"].as_array().expect("a list").iter().map(id_of).collect::<Vec<_>>()
    };
    let (ended, other) = (ended.to_string(), other.to_string());
    assert_eq!(ids("").await, [&*other, &id_of(&check), &ended], "newest first, ours only");
    assert_eq!(ids(&format!("?integration_id={first}")).await, [&*id_of(&check), &ended]);
    assert_eq!(ids("?state=processed").await, [&*ended]);
    assert_eq!(ids(&format!("?state=pending&integration_id={first}")).await, [id_of(&check)]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_with_a_hole_is_continued(pool: PgPool) {
    let service = Service::start(pool).await;
    let (_, run) = service.connected().await;
    let lease = half_done(&service, run).await;
    let failure = RunFailure { error: "answered 404".into(), needs_reconnect: false };
    service.store.fail_run(lease, &failure, 0).await.expect("our lease");
    service.sent().await;

    let answer = service.post(&format!("/v1/runs/{run}/continue"), json!({})).await;
    assert_eq!(answer.header("location"), Some(format!("/v1/runs/{run}").as_str()));
    let continued = answer.expect(202);
    assert_eq!((&continued["state"], &continued["error"]), (&json!("pending"), &json!(null)));
    assert_eq!(service.sent().await.len(), 1);
    let shown = service.get(&format!("/v1/runs/{run}")).await.expect(200);
    assert_eq!(
        shown["streams"],
        json!({"pending": 2, "processing": 0, "processed": 1, "failed": 0})
    );
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_is_not_continued_beside_another(pool: PgPool) {
    let service = Service::start(pool).await;
    let (id, ended) = service.connected().await;
    finish(&service, ended).await;
    let path = format!("/v1/integrations/{id}/runs");
    let live = service.post(&path, json!({"mode": "check"})).await.expect(202);

    let answer = service.post(&format!("/v1/runs/{ended}/continue"), json!({})).await;
    assert_eq!(answer.problem(409, "another_run_is_live")["live_run_id"], live["id"]);
}

/// Begun by four requests: one stream processed by two more, one given up by three, one to go.
async fn half_done(service: &Service, run: RunId) -> Lease {
    let claimed = service.claimed(run).await;
    let (store, lease) = (&service.store, claimed.lease);
    let articles = |page: u32| RawStream {
        name: "articles".into(),
        payload: json!({"stream": "articles", "page": page}),
    };
    let streams: Vec<_> = (1..=3).map(articles).collect();
    store.list_streams(lease, &streams, 4).await.expect("our lease");
    let taken = store.take_streams(lease, 2, false).await.expect("our lease");
    let page = Page { requests: 2, ..Page::default() };
    let source = PageSource {
        lease,
        stream: taken[0].id,
        tenant: claimed.tenant_id,
        integration: claimed.integration_id,
    };
    store.commit_page(source, &page).await.expect("our stream");
    let never = StreamSetback::Never { error: "answered 404".into() };
    store.set_back(lease, taken[1].id, &never, 3).await.expect("our stream");
    lease
}

async fn finish(service: &Service, run: RunId) {
    let lease = service.claimed(run).await.lease;
    service.store.list_streams(lease, &[], 0).await.expect("our lease");
    service.store.finish_run(lease, None, 0).await.expect("our lease");
}
