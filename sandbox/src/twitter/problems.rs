//! Refusals in X's own words.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A request that is not answered.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    body: Value,
}

impl Problem {
    pub(super) fn unauthorized() -> Self {
        Self::blank(StatusCode::UNAUTHORIZED, "Unauthorized")
    }

    pub(super) fn forbidden() -> Self {
        Self::blank(StatusCode::FORBIDDEN, "You are not permitted to perform this action.")
    }

    pub(super) fn too_many_requests() -> Self {
        Self::blank(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests")
    }

    pub(super) fn of(status: StatusCode) -> Self {
        Self::blank(status, status.canonical_reason().unwrap_or("Error"))
    }

    fn blank(status: StatusCode, detail: &str) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        let body = json!({
            "title": title, "detail": detail, "type": "about:blank", "status": status.as_u16(),
        });
        Self { status, body }
    }

    /// A parameter that cannot be.
    pub(super) fn invalid(parameter: &str, value: &str, message: &str) -> Self {
        let body = json!({
            "errors": [{"parameters": {parameter: [value]}, "message": message}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": "https://api.twitter.com/2/problems/invalid-request",
        });
        Self { status: StatusCode::BAD_REQUEST, body }
    }

    /// As RFC 6749 has it.
    pub(super) fn oauth(status: StatusCode, error: &str, description: &str) -> Self {
        Self { status, body: json!({"error": error, "error_description": description}) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let content_type = [(CONTENT_TYPE, "application/problem+json")];
        (self.status, content_type, self.body.to_string()).into_response()
    }
}

/// What stands in an answer for somebody who is not there.
pub(super) fn not_found(parameter: &str, value: &str) -> Value {
    json!({
        "value": value, "resource_id": value, "resource_type": "user", "parameter": parameter,
        "title": "Not Found Error",
        "detail": format!("Could not find user with {parameter}: [{value}]."),
        "type": "https://api.twitter.com/2/problems/resource-not-found",
    })
}

pub(super) fn suspended(parameter: &str, value: &str) -> Value {
    json!({
        "value": value, "resource_id": value, "resource_type": "user", "parameter": parameter,
        "title": "Forbidden",
        "detail": format!("User has been suspended: [{value}]."),
        "type": "https://api.twitter.com/2/problems/resource-not-found",
    })
}
