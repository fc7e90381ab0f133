//! What can go wrong, and how each fault is done.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::routes::{No, refused, too_many_requests};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Status 429, and after how many seconds to come back.
    RateLimited(u64),
    /// Status 200 and `ok: false` with this error.
    Says(&'static str),
    /// This status, and a body that is no JSON.
    Status(StatusCode),
}

pub(super) fn misbehave(fault: Fault) -> Response {
    match fault {
        Fault::RateLimited(seconds) => too_many_requests(seconds),
        Fault::Says(error) => refused(No::Because(error)),
        Fault::Status(status) => (status, "<html>Server Error</html>").into_response(),
    }
}
