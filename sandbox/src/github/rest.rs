//! The few endpoints of the REST API that an integration needs.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::credentials::{APP_ID, Bearer, INSTALLATION_ID, check_claim};
use super::node::Node;
use super::site::{Site, lock};
use super::world::World;

pub(super) type Parameters = BTreeMap<String, String>;
pub(super) type Answer = (StatusCode, Value);

/// By a claim to be the application instead of a token; `None` if the path is not of that kind.
pub(super) fn as_application(
    site: &Site,
    method: &Method,
    path: &str,
    claim: Option<&str>,
) -> Option<Answer> {
    let installation = path.strip_prefix("/app/installations/")?;
    if let Err(why) = check_claim(claim.unwrap_or_default(), Utc::now()) {
        return Some((StatusCode::UNAUTHORIZED, json!({ "message": why })));
    }
    let id = INSTALLATION_ID.to_string();
    Some(match (method, installation.strip_prefix(&id)) {
        (&Method::GET, Some("")) => {
            let account = json!({ "id": 77, "login": "acme", "type": "Organization" });
            (StatusCode::OK, json!({ "id": INSTALLATION_ID, "app_id": APP_ID, "account": account }))
        }
        (&Method::POST, Some("/access_tokens")) => {
            let ends = Utc::now() + TimeDelta::hours(1);
            let ends = ends.to_rfc3339_opts(SecondsFormat::Secs, true);
            let token = lock(&site.tokens).issue();
            (StatusCode::CREATED, json!({ "token": token, "expires_at": ends }))
        }
        _ => not_found(),
    })
}

pub(super) fn answer(site: &Site, bearer: Bearer, path: &str, with: &Parameters) -> Answer {
    match (path, bearer) {
        ("/user", Bearer::Person) => {
            (StatusCode::OK, json!({ "id": 42, "login": "ada", "type": "User" }))
        }
        ("/user/repos", Bearer::Person) => (StatusCode::OK, json!(page(&lock(&site.world), with))),
        ("/installation/repositories", Bearer::Installation) => {
            let world = lock(&site.world);
            let total = world.repositories().count();
            let page = page(&world, with);
            (StatusCode::OK, json!({ "total_count": total, "repositories": page }))
        }
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
