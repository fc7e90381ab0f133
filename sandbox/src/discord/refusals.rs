//! What Discord says when it does not answer: a sentence and a code of its own.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: &'static str,
    code: u32,
}

pub(super) const UNAUTHORIZED: Refusal =
    Refusal::new(StatusCode::UNAUTHORIZED, "401: Unauthorized", 0);
pub(super) const MISSING_ACCESS: Refusal =
    Refusal::new(StatusCode::FORBIDDEN, "Missing Access", 50001);
pub(super) const NOT_FOUND: Refusal = Refusal::new(StatusCode::NOT_FOUND, "404: Not Found", 0);
pub(super) const UNKNOWN_CHANNEL: Refusal =
    Refusal::new(StatusCode::NOT_FOUND, "Unknown Channel", 10003);
pub(super) const UNKNOWN_GUILD: Refusal =
    Refusal::new(StatusCode::NOT_FOUND, "Unknown Guild", 10004);
pub(super) const UNKNOWN_MEMBER: Refusal =
    Refusal::new(StatusCode::NOT_FOUND, "Unknown Member", 10007);
pub(super) const INVALID_FORM: Refusal =
    Refusal::new(StatusCode::BAD_REQUEST, "Invalid Form Body", 50035);

impl Refusal {
    const fn new(status: StatusCode, message: &'static str, code: u32) -> Self {
        Self { status, message, code }
    }

    /// As good as any other of this status.
    pub(super) fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => UNAUTHORIZED,
            StatusCode::FORBIDDEN => MISSING_ACCESS,
            StatusCode::NOT_FOUND => UNKNOWN_CHANNEL,
            _ => Self::new(status, "Something went wrong", 0),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"message": self.message, "code": self.code});
        (self.status, json_answer(&body)).into_response()
    }
}

pub(super) fn too_many_requests(seconds: f64, global: bool) -> Response {
    let body = json!({
        "message": "You are being rate limited.", "retry_after": seconds, "global": global,
    });
    (StatusCode::TOO_MANY_REQUESTS, json_answer(&body)).into_response()
}

pub(super) fn json_answer(body: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
