//! The two primary limits: points for GraphQL, requests for the rest, each in windows of its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderValue};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::platform::{RateLimit, Tally, Window};

#[derive(Debug)]
pub(super) struct Ledger {
    resource: &'static str,
    limit: RateLimit,
    window: Window<SystemTime>,
}

/// What is said of a limit beside an answer.
#[derive(Clone, Debug)]
pub(super) struct Rate {
    resource: &'static str,
    cost: u32,
    tally: Tally<SystemTime>,
}

impl Ledger {
    pub(super) fn of(resource: &'static str) -> Self {
        let limit = RateLimit { requests: 5000, per: Duration::from_secs(3600) };
        Self { resource, limit, window: Window::default() }
    }

    /// With a fresh window.
    pub(super) fn set(&mut self, limit: RateLimit) {
        (self.limit, self.window) = (limit, Window::default());
    }

    pub(super) fn spend(&mut self, cost: u32) -> Result<Rate, Rate> {
        let tally = self.window.spend(cost, self.limit, SystemTime::now());
        let rate = |cost| Rate { resource: self.resource, cost, tally };
        if tally.admitted { Ok(rate(cost)) } else { Err(rate(0)) }
    }
}

impl Rate {
    pub(super) fn headers(&self) -> HeaderMap {
        let closes_at = self.tally.closes_at.duration_since(UNIX_EPOCH);
        let reset = closes_at.map_or(0, |since| since.as_secs() + 1);
        let numbers = [
            ("x-ratelimit-limit", u64::from(self.tally.limit)),
            ("x-ratelimit-remaining", u64::from(self.tally.remaining())),
            ("x-ratelimit-used", u64::from(self.tally.used)),
            ("x-ratelimit-reset", reset),
        ];
        let mut headers = HeaderMap::new();
        for (name, number) in numbers {
            headers.insert(name, number.into());
        }
        headers.insert("x-ratelimit-resource", HeaderValue::from_static(self.resource));
        headers
    }

    /// Of the object `rateLimit`.
    pub(super) fn field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "limit" => json!(self.tally.limit),
            "remaining" => json!(self.tally.remaining()),
            "used" => json!(self.tally.used),
            "cost" => json!(self.cost),
            "resetAt" => {
                let at = DateTime::<Utc>::from(self.tally.closes_at);
                json!(at.to_rfc3339_opts(SecondsFormat::Secs, true))
            }
            _ => return None,
        })
    }
}
