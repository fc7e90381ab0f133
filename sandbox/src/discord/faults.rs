//! What can go wrong, and how each fault is done.

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::refusals::{Refusal, json_answer, too_many_requests};
use crate::platform::Incoming;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An error in Discord's own words.
    Status(StatusCode),
    /// 429 for so many seconds, by the bucket or by the limit over all requests.
    RateLimited { seconds: u64, global: bool },
    /// JSON, but not of the shape that was promised.
    WrongJson,
    /// The true answer up to its middle, as if that were all of it.
    TruncatedJson,
    /// The page that is answered where no cursor is given, whichever was asked for.
    RepeatedPage,
}

pub(super) async fn misbehave(fault: Fault, incoming: Incoming) -> Response {
    match fault {
        Fault::Status(status) => Refusal::of(status).into_response(),
        Fault::RateLimited { seconds, global } => {
            let mut answer = too_many_requests(seconds as f64, global);
            let headers = answer.headers_mut();
            headers.insert(RETRY_AFTER, seconds.into());
            if global {
                headers.insert("x-ratelimit-global", "true".parse().expect("a word"));
            }
            answer
        }
        Fault::WrongJson => json_answer(&json!({"threads": 7, "messages": "none"})),
        Fault::TruncatedJson => incoming.truncated().await,
        Fault::RepeatedPage => incoming.without(&["before", "after"]).answer().await,
    }
}
