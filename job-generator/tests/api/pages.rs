//! Lists, page by page.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::service::{Service, forum, id_of, text};

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn every_row_is_shown_once_however_small_the_pages(pool: PgPool) {
    let service = Service::start(pool).await;
    service.of_another_tenant().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(service.connected().await);
    }
    let integrations: Vec<_> = made.iter().map(|(id, _)| id.to_string()).collect();
    let runs: Vec<_> = made.iter().rev().map(|(_, run)| run.to_string()).collect();
    for limit in [1, 2, 5, 200] {
        assert_eq!(walk(&service, "/v1/integrations", limit).await, integrations);
        assert_eq!(walk(&service, "/v1/runs", limit).await, runs);
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_row_that_goes_between_two_pages_hides_no_other(pool: PgPool) {
    let service = Service::start(pool).await;
    let (first, _) = service.connected().await;
    let (second, _) = service.connected().await;
    let page = service.get("/v1/integrations?limit=1").await.expect(200);
    assert_eq!(id_of(&page["data"][0]), first.to_string());

    service.delete(&format!("/v1/integrations/{first}")).await.expect(204);
    let next = format!("/v1/integrations?limit=1&cursor={}", text(&page["next_cursor"]));
    let page = service.get(&next).await.expect(200);
    assert_eq!(id_of(&page["data"][0]), second.to_string());
    assert_eq!(page["next_cursor"], Value::Null);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn integrations_are_listed_by_kind(pool: PgPool) {
    let service = Service::start(pool).await;
    service.post("/v1/integrations", forum("acme")).await.expect(201);
    let page = service.get("/v1/integrations?kind=forum").await.expect(200);
    assert_eq!(page["data"].as_array().map(Vec::len), Some(1));
    let refused = service.get("/v1/integrations?kind=myspace").await;
    assert_eq!(refused.problem(400, "invalid_parameter")["field"], "kind");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn parameters_that_are_not_valid_are_refused_by_name(pool: PgPool) {
    let service = Service::start(pool).await;
    let (_, run) = service.connected().await;
    service.connected().await;
    let page = service.get("/v1/runs?limit=1").await.expect(200);
    let cursor_of_runs = text(&page["next_cursor"]);
    let cases = [
        ("/v1/integrations?limit=0".to_owned(), "limit"),
        ("/v1/integrations?limit=201".into(), "limit"),
        ("/v1/integrations?limit=-1".into(), "limit"),
        ("/v1/integrations?limit=many".into(), "limit"),
        ("/v1/integrations?cursor=7".into(), "cursor"),
        ("/v1/integrations?cursor=".into(), "cursor"),
        (format!("/v1/integrations?cursor={cursor_of_runs}"), "cursor"),
        ("/v1/integrations?kind=%00".into(), "kind"),
        ("/v1/integrations?sort=name".into(), "sort"),
        ("/v1/runs?state=asleep".into(), "state"),
        ("/v1/runs?integration_id=7".into(), "integration_id"),
        (format!("/v1/runs/{run}/streams?state=asleep"), "state"),
        (format!("/v1/runs/{run}/streams?cursor={cursor_of_runs}"), "cursor"),
    ];
    for (path, name) in cases {
        let problem = service.get(&path).await.problem(400, "invalid_parameter");
        assert_eq!(problem["field"], name, "{path}: {problem}");
        assert!(text(&problem["detail"]).contains(name), "{path}: {problem}");
    }
}

/// The ids of all pages, in order.
async fn walk(service: &Service, list: &str, limit: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = json!(null);
    loop {
        let from = cursor.as_str().map_or(String::new(), |cursor| format!("&cursor={cursor}"));
        let page = service.get(&format!("{list}?limit={limit}{from}")).await.expect(200);
        let rows = page["data"].as_array().expect("a list");
        assert!(!rows.is_empty() && rows.len() <= limit);
        ids.extend(rows.iter().map(id_of));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            return ids;
        }
    }
}
