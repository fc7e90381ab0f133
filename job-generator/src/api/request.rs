//! The way of every request: on a task of its own, in a trace, watched from outside.
//!
//! Of its own, because a connection that its client gives up drops what is answering it, in the
//! middle of whatever it does. A transaction is not to be dropped in the middle; so the request is
//! carried to its end, and only its answer is lost.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use metrics::counter;
use shared::telemetry::Trace;
use tracing::field::Empty;
use tracing::{Instrument, error, info, info_span};

use super::problem::Problem;

pub(super) async fn answered(request: Request, next: Next) -> Response {
    let trace = request.headers().get("traceparent").and_then(|trace| trace.to_str().ok());
    let trace = Trace::continued(trace);
    let answer = tokio::spawn(trace.around(watched(request, next))).await;
    // It neither panics, since that is caught inside, nor is it cancelled by anybody.
    answer.unwrap_or_else(|_| Problem::internal().into_response())
}

/// One line and one count per request: by the route's template, so that ids are in neither, and
/// without what was sent.
async fn watched(request: Request, next: Next) -> Response {
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str).to_owned();
    let span = info_span!("request", method, route, tenant.id = Empty);
    let began = Instant::now();
    let answer = caught(next.run(request)).instrument(span.clone()).await;
    let status = answer.status().as_u16();
    span.in_scope(|| info!(status, ms = began.elapsed().as_millis() as u64, "answered"));
    let status = status.to_string();
    counter!("api_requests_total", "method" => method, "route" => route, "status" => status)
        .increment(1);
    answer
}

/// Anybody may invent methods; what is counted has few names.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

/// What a panic says is for the log, where the panic itself has put it.
async fn caught(answer: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
        error!("the request panicked");
        Problem::internal().into_response()
    })
}
