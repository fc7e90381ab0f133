//! What was asked.

use std::collections::VecDeque;

use axum::http::{StatusCode, Uri};

/// Older requests are forgotten, so that a long demonstration does not grow.
const REMEMBERED: usize = 100_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Below `/api/v10`.
    pub path: String,
    pub query: Option<String>,
    /// `None` while the answer is being made, and for ever where there was none.
    pub status: Option<StatusCode>,
}

#[derive(Default)]
pub(super) struct Requests {
    log: VecDeque<Request>,
    /// The number of the request at the front; they are numbered for the life of the site.
    first: u64,
    cleared_at: u64,
}

impl Request {
    pub(super) fn to(uri: &Uri) -> Self {
        let path = uri.path();
        let path = path.strip_prefix("/api/v10").unwrap_or(path).to_owned();
        Self { path, query: uri.query().map(str::to_owned), status: None }
    }

    /// Whether the path and query contain this.
    pub fn asks_for(&self, what: &str) -> bool {
        format!("{}?{}", self.path, self.query.as_deref().unwrap_or_default()).contains(what)
    }
}

impl Requests {
    /// Notes a request before it is answered, and returns its number.
    pub(super) fn arrived(&mut self, request: Request) -> u64 {
        self.log.push_back(request);
        if self.log.len() > REMEMBERED {
            self.log.pop_front();
            self.first += 1;
        }
        self.next() - 1
    }

    pub(super) fn answered(&mut self, number: u64, status: StatusCode) {
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        if let Some(request) = index.and_then(|index| self.log.get_mut(index)) {
            request.status = Some(status);
        }
    }

    pub(super) fn all(&self) -> Vec<Request> {
        self.log.iter().cloned().collect()
    }

    pub(super) fn count(&self) -> u64 {
        self.next() - self.cleared_at
    }

    pub(super) fn clear(&mut self) {
        self.first = self.next();
        self.cleared_at = self.first;
        self.log.clear();
    }

    fn next(&self) -> u64 {
        self.first + self.log.len() as u64
    }
}
