//! Misbehaviour by script: what goes wrong, for which requests, how often.

use std::time::Duration;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};

use super::requests::Request;

/// So often, that it never ends by itself.
pub const ALWAYS: u32 = u32::MAX;

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
    /// The first page, whichever was asked for. With [`ALWAYS`], pages without end.
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

impl RetryAfter {
    pub(super) fn header(self) -> Option<String> {
        match self {
            Self::Seconds(seconds) => Some(seconds.to_string()),
            Self::Date(at) => Some(at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
            Self::EpochSeconds(seconds) => Some(seconds.to_string()),
            Self::Nonsense => Some("in a while".to_owned()),
            Self::Missing => None,
        }
    }
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
