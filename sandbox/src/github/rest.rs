//! The few endpoints of the REST API that an integration needs.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Rules;
use super::credentials::{APP_ID, Bearer, INSTALLATION_ID};
use super::node::Node;
use super::world::World;
use crate::platform::{Site, lock};

pub(super) type Parameters = BTreeMap<String, String>;
pub(super) type Answer = (StatusCode, Value);

pub(super) fn as_application(site: &Site<Rules>, method: &Method, path: &str) -> Answer {
    let id = INSTALLATION_ID.to_string();
    let path = path.strip_prefix("/app/installations/");
    match (method, path.and_then(|path| path.strip_prefix(&id))) {
        (&Method::GET, Some("")) => {
            let account = json!({ "id": 77, "login": "acme", "type": "Organization" });
            (StatusCode::OK, json!({ "id": INSTALLATION_ID, "app_id": APP_ID, "account": account }))
        }
        (&Method::POST, Some("/access_tokens")) => {
            let ends = Utc::now() + TimeDelta::hours(1);
            let ends = ends.to_rfc3339_opts(SecondsFormat::Secs, true);
            let token = lock(&site.rules.tokens).issue();
            (StatusCode::CREATED, json!({ "token": token, "expires_at": ends }))
        }
        _ => not_found(),
    }
}

pub(super) fn answer(site: &Site<Rules>, bearer: Bearer, path: &str, with: &Parameters) -> Answer {
    match (path, bearer) {
        ("/user", Bearer::Person) => {
            (StatusCode::OK, json!({ "id": 42, "login": "ada", "type": "User" }))
        }
        ("/user/repos", Bearer::Person) => {
            (StatusCode::OK, site.look(|world| json!(page(world, with))))
        }
        ("/installation/repositories", Bearer::Installation) => site.look(|world| {
            let total = world.repositories().count();
            let page = page(world, with);
            (StatusCode::OK, json!({ "total_count": total, "repositories": page }))
        }),
        ("/user" | "/user/repos" | "/installation/repositories", _) => {
            let message = "Resource not accessible by integration";
            (StatusCode::FORBIDDEN, json!({ "message": message }))
        }
        _ => not_found(),
    }
}

fn not_found() -> Answer {
    (StatusCode::NOT_FOUND, json!({ "message": "Not Found", "status": "404" }))
}

fn page(world: &World, with: &Parameters) -> Vec<Value> {
    let number = |name: &str| with.get(name).and_then(|text| text.parse::<usize>().ok());
    let per_page = number("per_page").unwrap_or(30).min(100);
    let skipped = (number("page").unwrap_or(1).max(1) - 1) * per_page;
    let repositories = world.repositories().skip(skipped).take(per_page);
    repositories.map(repository).collect()
}

fn repository(node: &Node) -> Value {
    json!({
        "id": node.id.0,
        "node_id": node.global_id(),
        "name": node.value("name"),
        "full_name": node.value("nameWithOwner"),
        "private": false,
        "html_url": node.value("url"),
        "description": node.value("description"),
    })
}
