//! What the site was asked, and a signal for those who wait to be asked.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{StatusCode, Uri};
use tokio::sync::Notify;

/// Older requests are forgotten, so that a long demonstration does not grow.
const REMEMBERED: usize = 100_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    pub query: Option<String>,
    /// `None` while the answer is being made, and for ever where there was none.
    pub status: Option<StatusCode>,
}

impl Request {
    fn to(uri: &Uri) -> Self {
        let query = uri.query().map(str::to_owned);
        Self { path: uri.path().to_owned(), query, status: None }
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

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '%')
}

#[derive(Default)]
pub(super) struct Requests {
    log: Mutex<Log>,
    arrival: Notify,
}

#[derive(Default)]
struct Log {
    requests: VecDeque<Request>,
    /// The number of the request at the front; they are numbered for the life of the site.
    first: u64,
    cleared_at: u64,
}

impl Log {
    fn next(&self) -> u64 {
        self.first + self.requests.len() as u64
    }
}

impl Requests {
    /// Notes a request before it is answered, and returns its number.
    pub(super) fn arrived(&self, uri: &Uri) -> (u64, Request) {
        let request = Request::to(uri);
        let mut log = self.log();
        let number = log.next();
        log.requests.push_back(request.clone());
        if log.requests.len() > REMEMBERED {
            log.requests.pop_front();
            log.first += 1;
        }
        drop(log);
        self.arrival.notify_waiters();
        (number, request)
    }

    pub(super) fn answered(&self, number: u64, status: StatusCode) {
        let mut log = self.log();
        let index = number.checked_sub(log.first).and_then(|index| usize::try_from(index).ok());
        if let Some(request) = index.and_then(|index| log.requests.get_mut(index)) {
            request.status = Some(status);
        }
    }

    pub(super) fn all(&self) -> Vec<Request> {
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

    pub(super) async fn until(&self, what: &str) -> Request {
        loop {
            // Made before looking: an arrival between the look and the wait still wakes it.
            let arrival = self.arrival.notified();
            if let Some(request) = self.find(what) {
                return request;
            }
            arrival.await;
        }
    }

    fn find(&self, what: &str) -> Option<Request> {
        self.log().requests.iter().find(|request| request.asks_for(what)).cloned()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn a_request_asks_for_whole_words() {
        let uri = "/api/articles?username=ben&per_page=2&page=17".parse().unwrap();
        let request = Request::to(&uri);
        let asked = ["/api/articles", "/api/", "username=ben", "page=17", "per_page=2&page", ""];
        let not_asked = ["/api/article", "username=be", "page=1", "page=2", "comments"];
        assert!(asked.iter().all(|what| request.asks_for(what)));
        assert!(!not_asked.iter().any(|what| request.asks_for(what)));
    }
}
