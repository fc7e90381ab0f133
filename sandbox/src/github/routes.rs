//! The endpoints: one for all queries, and the few of the REST API.

use axum::body::Bytes;
use axum::extract::{Query as Parameters, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use serde_json::{Value, json};

use super::credentials::Bearer;
use super::graphql::Query;
use super::limits::Rate;
use super::{Rules, rest};
use crate::platform::{SiteState, lock};

pub(super) const GRAPHQL: &str = "/graphql";

pub(super) fn routes() -> Router<SiteState<Rules>> {
    Router::new().route(GRAPHQL, post(query)).fallback(other)
}

async fn query(
    State(site): State<SiteState<Rules>>,
    Extension(rate): Extension<Rate>,
    Extension(bearer): Extension<Bearer>,
    body: Bytes,
) -> Response {
    let answer = Query::read(&body).map(|query| {
        let scopes = lock(&site.rules.tokens).scopes(bearer).cloned();
        let refused = scopes.and_then(|scopes| query.refused(&scopes));
        refused.unwrap_or_else(|| site.look(|world| query.execute(world, &rate)))
    });
    let (Ok(answer) | Err(answer)) = answer;
    respond(StatusCode::OK, &answer)
}

async fn other(
    State(site): State<SiteState<Rules>>,
    Extension(bearer): Extension<Bearer>,
    method: Method,
    uri: Uri,
    Parameters(parameters): Parameters<rest::Parameters>,
) -> Response {
    let (status, body) = match bearer {
        Bearer::Application => rest::as_application(&site, &method, uri.path()),
        bearer => rest::answer(&site, bearer, uri.path(), &parameters),
    };
    respond(status, &body)
}

pub(super) fn error(kind: Option<&str>, message: &str) -> Value {
    match kind {
        Some(kind) => json!({ "errors": [{ "type": kind, "message": message }] }),
        None => json!({ "data": null, "errors": [{ "message": message }] }),
    }
}

pub(super) fn respond(status: StatusCode, body: &Value) -> Response {
    let json = [(CONTENT_TYPE, "application/json; charset=utf-8")];
    (status, json, body.to_string()).into_response()
}
