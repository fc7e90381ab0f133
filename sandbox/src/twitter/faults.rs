//! Misbehaviour by script: what goes wrong, for which requests, how often.

use std::future;

use axum::body::{Body, to_bytes};
use axum::extract::Request as Incoming;
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};

use super::problems::Problem;
use crate::devto::Request;

/// So often, that it never ends by itself.
pub const ALWAYS: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub enum Fault {
    /// An error in X's own words.
    Status(StatusCode),
    /// 429, to be over at that instant.
    RateLimitedUntil(DateTime<Utc>),
    /// The true answer up to its middle, as if that were all of it.
    TruncatedJson,
    /// The first page, whichever was asked for. With [`ALWAYS`], pages without end.
    RepeatedPage,
    /// Answered truly, but the answer is lost: what was asked for has happened.
    AnswerLost,
    /// Answered truly, and the answer is on its way for ever: what was asked for has happened.
    AnswerHangs,
    /// The request is taken, and that is the last that is heard of it.
    Hang,
}

pub(super) async fn misbehave(fault: Fault, request: Incoming, next: Next) -> Response {
    match fault {
        Fault::Status(status) => Problem::of(status).into_response(),
        Fault::RateLimitedUntil(at) => {
            let mut answer = Problem::too_many_requests().into_response();
            let headers = answer.headers_mut();
            headers.insert("x-rate-limit-remaining", 0.into());
            headers.insert("x-rate-limit-reset", at.timestamp().into());
            answer
        }
        Fault::TruncatedJson => truncated(next.run(request).await).await,
        Fault::RepeatedPage => next.run(on_first_page(request)).await,
        Fault::AnswerLost => {
            next.run(request).await;
            Problem::of(StatusCode::BAD_GATEWAY).into_response()
        }
        Fault::AnswerHangs => {
            next.run(request).await;
            future::pending().await
        }
        Fault::Hang => future::pending().await,
    }
}

async fn truncated(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    parts.headers.remove("content-length");
    let body = to_bytes(body, usize::MAX).await;
    let body = body.expect("an answer is in memory before it is sent");
    Response::from_parts(parts, Body::from(body.slice(..body.len() / 2)))
}

fn on_first_page(mut request: Incoming) -> Incoming {
    let uri = request.uri();
    let query = uri.query().unwrap_or_default().split('&');
    let is_token =
        |pair: &&str| pair.starts_with("pagination_token=") || pair.starts_with("next_token=");
    let rest: Vec<_> = query.filter(|pair| !is_token(pair)).collect();
    let first = format!("{}?{}", uri.path(), rest.join("&")).parse::<Uri>();
    *request.uri_mut() = first.expect("an address less one parameter is an address");
    request
}

#[derive(Default)]
pub(super) struct Script(Vec<Line>);

struct Line {
    what: String,
    times_left: u32,
    fault: Fault,
}

impl Script {
    pub(super) fn add(&mut self, what: &str, times: u32, fault: Fault) {
        self.0.push(Line { what: what.to_owned(), times_left: times, fault });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes the first line that is about this request and not used up.
    pub(super) fn take(&mut self, request: &Request) -> Option<Fault> {
        let due = |line: &&mut Line| line.times_left > 0 && request.asks_for(&line.what);
        let line = self.0.iter_mut().find(due)?;
        if line.times_left != ALWAYS {
            line.times_left -= 1;
        }
        Some(line.fault.clone())
    }
}
