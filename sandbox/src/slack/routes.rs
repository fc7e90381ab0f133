//! The methods of the Web API that an integration reads with.
//!
//! Slack refuses in a way of its own: status 200, and the reason in the body. Only a limit has a
//! status, 429.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Path, Query, Request as HttpRequest, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::methods;
use super::site::{Fault, Request, Site};

pub(super) fn routes(site: Arc<Site>) -> Router {
    Router::new().route("/api/{method}", any(receive)).with_state(site)
}

/// Why there is no answer: Slack's word for it, and the scope if that is what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum No {
    Because(&'static str),
    Missing(&'static str),
}

async fn receive(
    State(site): State<Arc<Site>>,
    Path(method): Path<String>,
    Query(mut parameters): Query<BTreeMap<String, String>>,
    request: HttpRequest,
) -> Response {
    let authorization = request.headers().get(AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok()).map(str::to_owned);
    if request.method() == Method::POST {
        parameters.extend(form(request).await);
    }
    site.requests().push(Request { method: method.clone(), parameters: parameters.clone() });
    let latency = site.latency();
    if !latency.is_zero() {
        sleep(latency).await;
    }
    match site.next_fault(&method) {
        Some(Fault::TooManyRequests(seconds)) => return too_many_requests(seconds),
        Some(Fault::Says(error)) => return refused(No::Because(error)),
        Some(Fault::Status(status)) => return broken(status),
        None => {}
    }
    let distribution = site.workspace().grants.distribution;
    if let Err(left) = site.limits().admit(&method, distribution, Instant::now()) {
        return too_many_requests(left.as_secs() + u64::from(left.subsec_nanos() > 0));
    }
    let answer =
        methods::answer(&mut site.workspace(), &method, &parameters, authorization.as_deref());
    match answer {
        Ok(mut answer) => {
            answer["ok"] = json!(true);
            said(StatusCode::OK, &answer)
        }
        Err(no) => refused(no),
    }
}

async fn form(request: HttpRequest) -> BTreeMap<String, String> {
    let body = to_bytes(request.into_body(), 64 * 1024).await.unwrap_or_default();
    let address = format!("/?{}", String::from_utf8_lossy(&body));
    let uri = address.parse().unwrap_or_default();
    Query::try_from_uri(&uri).map(|Query(form)| form).unwrap_or_default()
}

fn refused(no: No) -> Response {
    let body = match no {
        No::Because(error) => json!({ "ok": false, "error": error }),
        No::Missing(scope) => {
            json!({ "ok": false, "error": "missing_scope", "needed": scope, "provided": "" })
        }
    };
    said(StatusCode::OK, &body)
}

fn too_many_requests(seconds: u64) -> Response {
    let body = json!({ "ok": false, "error": "ratelimited" });
    let mut answer = said(StatusCode::TOO_MANY_REQUESTS, &body);
    answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    answer
}

fn broken(status: u16) -> Response {
    let status = StatusCode::from_u16(status).expect("a scenario names a status");
    (status, "<html>Server Error</html>").into_response()
}

fn said(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}
