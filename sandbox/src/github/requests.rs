//! What GitHub was asked.

use std::collections::VecDeque;

use axum::http::StatusCode;
use serde_json::Value;

/// Older requests are forgotten, so that a long demonstration does not grow.
const REMEMBERED: usize = 100_000;

#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The name of a query, or a path: `Pulls`, `/installation/repositories`.
    pub what: String,
    /// Of a query its variables, else the parameters.
    pub with: Value,
    pub status: StatusCode,
    /// Points of a query.
    pub cost: u32,
}

#[derive(Default)]
pub(super) struct Requests {
    log: VecDeque<Request>,
    pub(super) count: u64,
    pub(super) points: u64,
}

impl Requests {
    pub(super) fn note(&mut self, request: Request) {
        self.count += 1;
        self.points += u64::from(request.cost);
        self.log.push_back(request);
        if self.log.len() > REMEMBERED {
            self.log.pop_front();
        }
    }

    pub(super) fn all(&self) -> Vec<Request> {
        self.log.iter().cloned().collect()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
