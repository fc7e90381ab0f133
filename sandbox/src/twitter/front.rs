//! What stands before every endpoint: the log, the latency, the script of faults, the token and the rate limit.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, DATE};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::community::Community;
use super::faults::misbehave;
use super::limits::{Class, Tally};
use super::oauth::Bearer;
use super::problems::Problem;
use super::site::Site;

/// Every request passes here, and leaves its answer's status in the log.
pub(super) async fn receive(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let (number, fault) = site.arrived(request.uri());
    let latency = site.latency();
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let mut answer = match fault {
        Some(fault) => misbehave(fault, request, next).await,
        None => next.run(request).await,
    };
    site.answered(number, answer.status());
    // The instant of a reset means something only beside the time that the platform thinks it is.
    let date = site.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = date.parse() {
        answer.headers_mut().insert(DATE, date);
    }
    answer
}

/// Answers a request that carries a good token within its limit: with what the look at the community
/// found.
pub(super) fn answer(
    site: &Site,
    headers: &HeaderMap,
    class: Class,
    scopes: &[&str],
    look: impl FnOnce(&Community, &Bearer) -> Result<Value, Problem>,
) -> Response {
    let now = site.now();
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    let bearer = token.and_then(|token| site.grants().bearer(token, now));
    let Some(bearer) = bearer else { return Problem::unauthorized().into_response() };
    let tally = site.limits().admit(bearer.user, class, now);
    let outcome = match (tally.admitted, bearer.may(scopes)) {
        (false, _) => Err(Problem::too_many_requests()),
        (true, false) => Err(Problem::forbidden()),
        (true, true) => site.look(|community| look(community, &bearer)),
    };
    let mut answer = outcome.map_or_else(IntoResponse::into_response, json);
    tell(tally, answer.headers_mut());
    answer
}

pub(super) fn json(body: Value) -> Response {
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}

fn tell(tally: Tally, headers: &mut HeaderMap) {
    let said: [(&str, HeaderValue); 3] = [
        ("x-rate-limit-limit", tally.limit.into()),
        ("x-rate-limit-remaining", tally.remaining.into()),
        ("x-rate-limit-reset", tally.resets_at.timestamp().into()),
    ];
    for (name, value) in said {
        headers.insert(axum::http::HeaderName::from_static(name), value);
    }
}
