//! What can go wrong, and how each fault is done.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};

use super::routes::{error, json_answer};
use crate::platform::{Incoming, huge};

#[derive(Clone, Debug)]
pub enum Fault {
    /// An error in the site's own words.
    Status(StatusCode),
    /// 429, whatever the limit says.
    RateLimited(RetryAfter),
    /// The true answer up to its middle, as if that were all of it.
    TruncatedJson,
    /// JSON, but not of the shape that was promised.
    WrongJson,
    /// The request is taken, and that is the last that is heard of it.
    Hang,
    /// 302 to this address.
    Redirect(String),
    /// An empty list with this many bytes of white space in it.
    HugeBody(u64),
    /// The true answer byte by byte, with this long before each.
    SlowBytes(Duration),
    /// The first page, whichever was asked for. With [`ALWAYS`](super::ALWAYS), pages without end.
    RepeatedPage,
    /// The connection is reset instead of an answer.
    CloseConnection,
    /// The true answer up to its middle; then the connection closes under it.
    BreakOff,
}

/// What a 429 says in `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    Seconds(u64),
    Date(DateTime<Utc>),
    /// The instant in seconds since 1970, as some say it where seconds to wait are meant.
    EpochSeconds(i64),
    Nonsense,
    Missing,
}

pub(super) async fn misbehave(fault: Fault, incoming: Incoming) -> Response {
    match fault {
        Fault::Status(status) => error(status),
        Fault::RateLimited(retry_after) => too_many_requests(retry_after),
        Fault::TruncatedJson => incoming.truncated().await,
        Fault::WrongJson => json_answer(Body::from(r#"{"articles":"none","children":7}"#)),
        Fault::Hang => incoming.hang().await,
        Fault::Redirect(to) => (StatusCode::FOUND, [(LOCATION, to)]).into_response(),
        Fault::HugeBody(bytes) => json_answer(huge(bytes)),
        Fault::SlowBytes(pause) => incoming.byte_by_byte(pause).await,
        Fault::RepeatedPage => incoming.without(&["page"]).answer().await,
        Fault::CloseConnection => incoming.reset().await,
        Fault::BreakOff => incoming.broken_off().await,
    }
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

impl RetryAfter {
    fn header(self) -> Option<String> {
        match self {
            Self::Seconds(seconds) => Some(seconds.to_string()),
            Self::Date(at) => Some(at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
            Self::EpochSeconds(seconds) => Some(seconds.to_string()),
            Self::Nonsense => Some("in a while".to_owned()),
            Self::Missing => None,
        }
    }
}
