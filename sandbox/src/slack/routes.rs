//! The methods of the Web API that an integration reads with.
//!
//! Slack refuses in a way of its own: status 200, and the reason in the body. Only a limit has a
//! status, 429.

use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Router};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Request, Rules, methods};
use crate::platform::{SiteState, lock, whole_seconds};

pub(super) fn routes() -> Router<SiteState<Rules>> {
    Router::new().route("/api/{method}", any(call))
}

/// Why there is no answer: Slack's word for it, and the scope if that is what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum No {
    Because(&'static str),
    Missing(&'static str),
}

async fn call(
    State(site): State<SiteState<Rules>>,
    headers: HeaderMap,
    Extension(Request { method, parameters, .. }): Extension<Request>,
) -> Response {
    let distribution = site.look(|workspace| workspace.grants.distribution);
    let admitted = lock(&site.rules.limits).admit(&method, distribution, Instant::now());
    if let Err(left) = admitted {
        site.count_refused();
        return too_many_requests(whole_seconds(left));
    }
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    // To renew a token is to change the workspace.
    match site.edit(|workspace| methods::answer(workspace, &method, &parameters, authorization)) {
        Ok(mut answer) => {
            answer["ok"] = json!(true);
            said(StatusCode::OK, &answer)
        }
        Err(no) => refused(no),
    }
}

pub(super) fn refused(no: No) -> Response {
    let body = match no {
        No::Because(error) => json!({ "ok": false, "error": error }),
        No::Missing(scope) => {
            json!({ "ok": false, "error": "missing_scope", "needed": scope, "provided": "" })
        }
    };
    said(StatusCode::OK, &body)
}

pub(super) fn too_many_requests(seconds: u64) -> Response {
    let body = json!({ "ok": false, "error": "ratelimited" });
    let mut answer = said(StatusCode::TOO_MANY_REQUESTS, &body);
    answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    answer
}

fn said(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}
