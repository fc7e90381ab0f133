//! Misbehaviour by script: what goes wrong, for which requests, how often.

use axum::http::StatusCode;

use super::requests::Request;

/// So often, that it never ends by itself.
pub const ALWAYS: u32 = u32::MAX;

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
    /// The page that is answered where no cursor is given.
    FirstPage,
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
        Some(line.fault)
    }
}
