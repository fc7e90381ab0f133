//! What can go wrong, and how each fault is done.

use std::future;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};

use super::problems::Problem;
use crate::platform::Incoming;

#[derive(Clone, Debug)]
pub enum Fault {
    /// An error in X's own words.
    Status(StatusCode),
    /// 429, to be over at that instant.
    RateLimitedUntil(DateTime<Utc>),
    /// The true answer up to its middle, as if that were all of it.
    TruncatedJson,
    /// The first page, whichever was asked for. With [`ALWAYS`](super::ALWAYS), pages without end.
    RepeatedPage,
    /// Answered truly, but the answer is lost: what was asked for has happened.
    AnswerLost,
    /// Answered truly, and the answer is on its way for ever: what was asked for has happened.
    AnswerHangs,
    /// The request is taken, and that is the last that is heard of it.
    Hang,
}

pub(super) async fn misbehave(fault: Fault, incoming: Incoming) -> Response {
    match fault {
        Fault::Status(status) => Problem::of(status).into_response(),
        Fault::RateLimitedUntil(at) => {
            let mut answer = Problem::too_many_requests().into_response();
            let headers = answer.headers_mut();
            headers.insert("x-rate-limit-remaining", 0.into());
            headers.insert("x-rate-limit-reset", at.timestamp().into());
            answer
        }
        Fault::TruncatedJson => incoming.truncated().await,
        Fault::RepeatedPage => incoming.without(&["pagination_token", "next_token"]).answer().await,
        Fault::AnswerLost => {
            incoming.answer().await;
            Problem::of(StatusCode::BAD_GATEWAY).into_response()
        }
        Fault::AnswerHangs => {
            incoming.answer().await;
            future::pending().await
        }
        Fault::Hang => incoming.hang().await,
    }
}
