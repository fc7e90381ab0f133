//! What stands before every endpoint: the log, the latency, the rate limit and the scripted faults.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::{Instant, sleep};

use super::faults::RetryAfter;
use super::misbehaviour::misbehave;
use super::site::Site;
use super::wire::Cut;

/// Every request passes here, and leaves its answer's status in the log.
pub(super) async fn receive(
    State(site): State<Arc<Site>>,
    ConnectInfo(connection): ConnectInfo<Cut>,
    request: Request,
    next: Next,
) -> Response {
    let (number, asked) = site.requests.arrived(request.uri());
    let latency = site.latency();
    if !latency.is_zero() {
        sleep(latency).await;
    }
    let answer = match site.admit(Instant::now()) {
        Err(left) => too_many_requests(RetryAfter::Seconds(whole_seconds(left))),
        Ok(()) => match site.next_fault(&asked) {
            Some(fault) => misbehave(fault, request, next, connection).await,
            None => next.run(request).await,
        },
    };
    site.requests.answered(number, answer.status());
    answer
}

/// As the site's limiter words it, which is not JSON.
pub(super) fn too_many_requests(retry_after: RetryAfter) -> Response {
    let mut answer = (StatusCode::TOO_MANY_REQUESTS, "Retry later\n").into_response();
    if let Some(value) = retry_after.header() {
        let value = value.parse().expect("every kind is written in visible ASCII");
        answer.headers_mut().insert(RETRY_AFTER, value);
    }
    answer
}

/// Rounded up: who waits so long is admitted.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
