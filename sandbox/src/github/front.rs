//! What stands before every answer: the credential, the limits, the script and the log.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::credentials::Bearer;
use super::faults::{Fault, withhold};
use super::graphql::Asked;
use super::limits::Rate;
use super::requests::Request;
use super::rest::{self, Parameters};
use super::site::{Site, lock};

const BUSY: &str =
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
const SPENT: &str = "API rate limit exceeded for user ID 42.";

pub(super) fn routes(site: Arc<Site>) -> Router {
    Router::new().fallback(receive).with_state(site)
}

async fn receive(
    State(site): State<Arc<Site>>,
    method: Method,
    uri: Uri,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let latency = *lock(&site.latency);
    if !latency.is_zero() {
        sleep(latency).await;
    }
    let token = bearer_token(&headers);
    lock(&site.shown).extend(token.map(str::to_owned));
    if let Some(answer) = rest::as_application(&site, &method, uri.path(), token) {
        let fault = lock(&site.script).take(uri.path(), None);
        return site.tell(uri.path(), json!(parameters), 0, fault, None, |_| answer).await;
    }
    let Some(bearer) = token.and_then(|token| lock(&site.tokens).bearer(token)) else {
        let refused = (StatusCode::UNAUTHORIZED, json!({ "message": "Bad credentials" }));
        return site.tell(uri.path(), json!(parameters), 0, None, None, |_| refused).await;
    };
    match uri.path() {
        "/graphql" if method == Method::POST => site.query(&body).await,
        path => site.rest(bearer, path, &parameters).await,
    }
}

fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

impl Site {
    async fn query(&self, body: &[u8]) -> Response {
        let asked = match Asked::read(body) {
            Ok(asked) => asked,
            Err(problem) => return respond(StatusCode::OK, &problem, None),
        };
        let (name, cost) = (asked.name(), asked.cost());
        let fault = lock(&self.script).take(&name, asked.size());
        let spent = lock(&self.graphql).spend(cost);
        let rate = match spent {
            Ok(rate) => rate,
            Err(rate) => {
                let said = error(Some("RATE_LIMITED"), SPENT);
                let answer = (StatusCode::OK, said);
                return self.tell(&name, asked.variables(), 0, None, Some(rate), |_| answer).await;
            }
        };
        let with = asked.variables();
        let answer = |rate: Option<&Rate>| {
            let rate = rate.expect("a query has spent something");
            (StatusCode::OK, asked.execute(&lock(&self.world), rate))
        };
        self.tell(&name, with, cost, fault, Some(rate), answer).await
    }

    async fn rest(&self, bearer: Bearer, path: &str, parameters: &Parameters) -> Response {
        let fault = lock(&self.script).take(path, None);
        let spent = lock(&self.core).spend(1);
        match spent {
            Ok(rate) => {
                let answer = |_: Option<&Rate>| rest::answer(self, bearer, path, parameters);
                self.tell(path, json!(parameters), 0, fault, Some(rate), answer).await
            }
            Err(rate) => {
                let refused = (StatusCode::FORBIDDEN, json!({ "message": SPENT }));
                self.tell(path, json!(parameters), 0, None, Some(rate), |_| refused).await
            }
        }
    }

    /// Answers, spoilt as the script says, and leaves a line in the log.
    async fn tell(
        &self,
        what: &str,
        with: Value,
        cost: u32,
        fault: Option<Fault>,
        rate: Option<Rate>,
        answer: impl FnOnce(Option<&Rate>) -> rest::Answer,
    ) -> Response {
        let query = !what.starts_with('/');
        let response = match fault {
            Some(Fault::Hang) => std::future::pending().await,
            Some(fault) => spoilt(&fault, query, rate.as_ref(), answer),
            None => {
                let (status, body) = answer(rate.as_ref());
                respond(status, &body, rate.as_ref())
            }
        };
        let request = Request { what: what.to_owned(), with, status: response.status(), cost };
        lock(&self.requests).note(request);
        let mut later = lock(&self.later);
        if let Some(at) = later.iter().position(|(awaited, _)| awaited == what) {
            let (_, change) = later.swap_remove(at);
            change(&mut lock(&self.world));
        }
        response
    }
}

fn spoilt(
    fault: &Fault,
    query: bool,
    rate: Option<&Rate>,
    answer: impl FnOnce(Option<&Rate>) -> rest::Answer,
) -> Response {
    match fault {
        Fault::Status(status) => {
            respond(*status, &json!({ "message": status.canonical_reason() }), rate)
        }
        Fault::PrimaryLimit { resets_in } => {
            let mut response = match query {
                true => respond(StatusCode::OK, &error(Some("RATE_LIMITED"), SPENT), None),
                false => respond(StatusCode::FORBIDDEN, &json!({ "message": SPENT }), None),
            };
            let reset = chrono::Utc::now().timestamp().cast_unsigned() + resets_in;
            response.headers_mut().insert("x-ratelimit-remaining", 0.into());
            response.headers_mut().insert("x-ratelimit-reset", reset.into());
            response
        }
        Fault::SecondaryLimit { retry_after } => {
            let mut response = respond(StatusCode::FORBIDDEN, &json!({ "message": BUSY }), rate);
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, (*seconds).into());
            }
            response
        }
        Fault::Error { kind, message } => respond(StatusCode::OK, &error(*kind, message), rate),
        Fault::Partial { path, kind, message } => {
            let (status, mut body) = answer(rate);
            withhold(&mut body, path, *kind, message);
            respond(status, &body, rate)
        }
        Fault::TooMuch { .. } => {
            let message = "We couldn't respond to your request in time.";
            respond(StatusCode::BAD_GATEWAY, &json!({ "message": message }), rate)
        }
        Fault::Hang => unreachable!("whoever hangs does not answer"),
    }
}

fn error(kind: Option<&str>, message: &str) -> Value {
    match kind {
        Some(kind) => json!({ "errors": [{ "type": kind, "message": message }] }),
        None => json!({ "data": null, "errors": [{ "message": message }] }),
    }
}

fn respond(status: StatusCode, body: &Value, rate: Option<&Rate>) -> Response {
    let json = [(CONTENT_TYPE, "application/json; charset=utf-8")];
    let mut response = (status, json, body.to_string()).into_response();
    if let Some(rate) = rate {
        response.headers_mut().extend(rate.headers());
    }
    response
}
