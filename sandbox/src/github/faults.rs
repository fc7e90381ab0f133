//! What can go wrong, and how each fault is done.

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use chrono::Utc;
use serde_json::{Value, json};

use super::front::{is_query, spent_limit};
use super::routes::{error, respond};
use crate::platform::Incoming;

const BUSY: &str =
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";

#[derive(Clone, Debug)]
pub enum Fault {
    /// An error in GitHub's own words.
    Status(StatusCode),
    /// 200 and `RATE_LIMITED`, as GraphQL says it; 403 and nothing left elsewhere. The window turns
    /// in so many seconds.
    PrimaryLimit { resets_in: u64 },
    /// 403 in the words of a secondary limit, with or without the seconds to wait.
    SecondaryLimit { retry_after: Option<u64> },
    /// 200 with this error and no data.
    Error { kind: Option<&'static str>, message: &'static str },
    /// The true answer, where this (`subject.page.nodes.0.author`) is null because of this error.
    Partial { path: &'static str, kind: Option<&'static str>, message: &'static str },
    /// 502, as for a query that takes GitHub more than ten seconds: if so many items or more are asked
    /// for at once.
    TooMuch { from: u64 },
    /// The connection is taken and nothing more is heard.
    Hang,
}

pub(super) async fn misbehave(fault: Fault, incoming: Incoming) -> Response {
    match fault {
        Fault::Status(status) => respond(status, &json!({ "message": status.canonical_reason() })),
        Fault::PrimaryLimit { resets_in } => {
            let mut answer = spent_limit(is_query(&incoming));
            let reset = Utc::now().timestamp().cast_unsigned() + resets_in;
            answer.headers_mut().insert("x-ratelimit-remaining", 0.into());
            answer.headers_mut().insert("x-ratelimit-reset", reset.into());
            answer
        }
        Fault::SecondaryLimit { retry_after } => {
            let mut answer = respond(StatusCode::FORBIDDEN, &json!({ "message": BUSY }));
            if let Some(seconds) = retry_after {
                answer.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
            answer
        }
        Fault::Error { kind, message } => respond(StatusCode::OK, &error(kind, message)),
        Fault::Partial { path, kind, message } => {
            incoming.edited(|body| without(body, path, kind, message)).await
        }
        Fault::TooMuch { .. } => {
            let message = "We couldn't respond to your request in time.";
            respond(StatusCode::BAD_GATEWAY, &json!({ "message": message }))
        }
        Fault::Hang => incoming.hang().await,
    }
}

fn without(body: &Bytes, path: &str, kind: Option<&str>, message: &str) -> Bytes {
    let mut answer = serde_json::from_slice(body).expect("GitHub answers in JSON");
    withhold(&mut answer, path, kind, message);
    answer.to_string().into()
}

/// Takes something out of an answer, and says why.
fn withhold(answer: &mut Value, path: &str, kind: Option<&str>, message: &str) {
    let steps: Vec<Value> = path
        .split('.')
        .map(|step| step.parse::<usize>().map_or_else(|_| json!(step), |index| json!(index)))
        .collect();
    let mut at = &mut answer["data"];
    for step in &steps {
        at = match step {
            Value::Number(index) => &mut at[index.as_u64().unwrap_or_default() as usize],
            name => &mut at[name.as_str().unwrap_or_default()],
        };
    }
    *at = Value::Null;
    let mut error = json!({ "path": steps, "message": message });
    if let Some(kind) = kind {
        error["type"] = json!(kind);
    }
    match answer["errors"].as_array_mut() {
        Some(errors) => errors.push(error),
        None => answer["errors"] = json!([error]),
    }
}
