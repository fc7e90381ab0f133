//! What a site was asked, and a signal for those who wait to be asked.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use tokio::sync::Notify;

use super::{Platform, lock};

/// Older requests are forgotten, so that a long demonstration does not grow.
const REMEMBERED: usize = 100_000;

/// A request as it arrived.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub parts: &'a Parts,
    pub body: &'a [u8],
}

impl<'a> Ask<'a> {
    pub fn method(&self) -> &'a Method {
        &self.parts.method
    }

    /// Below [`Platform::API`].
    pub fn path<P: Platform>(&self) -> &'a str {
        let path = self.parts.uri.path();
        path.strip_prefix(P::API).unwrap_or(path)
    }
}

/// What is remembered of a request.
pub trait Asked: Clone + Send + Sync {
    /// Whether it is one of those that a scenario means by this; by nothing at all it means all.
    fn asks_for(&self, what: &str) -> bool;

    /// Notes the status of the answer.
    fn answered(&mut self, status: StatusCode);
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Below [`Platform::API`].
    pub path: String,
    pub query: Option<String>,
    /// `None` while the answer is being made, and for ever where there was none.
    pub status: Option<StatusCode>,
}

impl Request {
    pub fn of<P: Platform>(ask: Ask<'_>) -> Self {
        Self::to(ask.path::<P>(), ask.parts.uri.query())
    }

    fn to(path: &str, query: Option<&str>) -> Self {
        Self { path: path.to_owned(), query: query.map(str::to_owned), status: None }
    }

    /// Whether the path and query contain `what`, as whole words: `a_id=1` is not in `a_id=17`, and
    /// `page=2` not in `per_page=2`. An empty `what` is in every request.
    pub fn asks_for(&self, what: &str) -> bool {
        let target = match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        };
        target.match_indices(what).any(|(start, _)| {
            let (before, after) = (&target[..start], &target[start + what.len()..]);
            let glued = |left: Option<char>, right: Option<char>| {
                left.is_some_and(in_word) && right.is_some_and(in_word)
            };
            !glued(before.chars().next_back(), what.chars().next())
                && !glued(what.chars().next_back(), after.chars().next())
        })
    }
}

impl Asked for Request {
    fn asks_for(&self, what: &str) -> bool {
        Self::asks_for(self, what)
    }

    fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '%')
}

pub(super) struct Requests<R> {
    log: Mutex<Log<R>>,
    arrival: Notify,
}

struct Log<R> {
    requests: VecDeque<R>,
    /// The number of the request at the front; they are numbered for the life of the site.
    first: u64,
    cleared_at: u64,
}

impl<R> Default for Requests<R> {
    fn default() -> Self {
        let log = Log { requests: VecDeque::new(), first: 0, cleared_at: 0 };
        Self { log: Mutex::new(log), arrival: Notify::new() }
    }
}

impl<R> Log<R> {
    fn next(&self) -> u64 {
        self.first + self.requests.len() as u64
    }
}

impl<R: Asked> Requests<R> {
    /// Notes a request before it is answered, and returns its number.
    pub(super) fn arrived(&self, request: R) -> u64 {
        let mut log = self.log();
        let number = log.next();
        log.requests.push_back(request);
        if log.requests.len() > REMEMBERED {
            log.requests.pop_front();
            log.first += 1;
        }
        drop(log);
        self.arrival.notify_waiters();
        number
    }

    /// A request that is forgotten by now is left alone.
    pub(super) fn amend(&self, number: u64, change: impl FnOnce(&mut R)) {
        let mut log = self.log();
        let index = number.checked_sub(log.first).and_then(|index| usize::try_from(index).ok());
        if let Some(request) = index.and_then(|index| log.requests.get_mut(index)) {
            change(request);
        }
    }

    pub(super) fn all(&self) -> Vec<R> {
        self.log().requests.iter().cloned().collect()
    }

    pub(super) fn count(&self) -> u64 {
        let log = self.log();
        log.next() - log.cleared_at
    }

    pub(super) fn clear(&self) {
        let mut log = self.log();
        log.first = log.next();
        log.cleared_at = log.first;
        log.requests.clear();
    }

    pub(super) async fn until(&self, what: &str) -> R {
        loop {
            // Made before looking: an arrival between the look and the wait still wakes it.
            let arrival = self.arrival.notified();
            if let Some(request) = self.find(what) {
                return request;
            }
            arrival.await;
        }
    }

    fn find(&self, what: &str) -> Option<R> {
        self.log().requests.iter().find(|request| request.asks_for(what)).cloned()
    }

    fn log(&self) -> MutexGuard<'_, Log<R>> {
        lock(&self.log)
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn a_request_asks_for_whole_words() {
        let request = Request::to("/api/articles", Some("username=ben&per_page=2&page=17"));
        let asked = ["/api/articles", "/api/", "username=ben", "page=17", "per_page=2&page", ""];
        let not_asked = ["/api/article", "username=be", "page=1", "page=2", "comments"];
        assert!(asked.iter().all(|what| request.asks_for(what)));
        assert!(!not_asked.iter().any(|what| request.asks_for(what)));
    }
}
