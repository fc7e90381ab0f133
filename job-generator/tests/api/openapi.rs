//! The document is served, committed, and true.

use std::fs;
use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use sqlx::PgPool;

use crate::service::Service;

#[test]
fn the_committed_document_is_what_the_api_says_of_itself() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let document = job_generator::api::openapi().to_pretty_json().expect("JSON") + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&path, &document).expect("docs/ can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == document,
        "docs/openapi.json is stale; refresh it by\n\
         UPDATE_OPENAPI=1 cargo nextest run -p job-generator --test api committed_document"
    );
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn the_document_is_served_to_anybody(pool: PgPool) {
    let service = Service::start(pool).await;
    let request = Request::get("/openapi.json").body(Body::empty()).expect("a request");
    let answer = service.ask(request).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let served = answer.expect(200);
    assert_eq!(served, serde_json::to_value(job_generator::api::openapi()).expect("JSON"));
}

/// A schema that is referred to and missing makes a document that no generator reads.
#[test]
fn every_reference_leads_somewhere() {
    let document = serde_json::to_value(job_generator::api::openapi()).expect("JSON");
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

/// Client generators name their functions by it.
#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = serde_json::to_value(job_generator::api::openapi()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths").values();
    let operations = paths.flat_map(|path| path.as_object().expect("methods").values());
    let mut names: Vec<_> = operations.map(|operation| operation["operationId"].as_str()).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), names.contains(&None)), (count, false), "{names:?}");
}

fn collect_references(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}
