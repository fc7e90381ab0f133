//! The two primary limits: points for GraphQL, requests for the rest, each in windows of its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderValue};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

/// So much in each window; an hour's on GitHub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    pub allowed: u32,
    pub per: Duration,
}

#[derive(Debug)]
pub(super) struct Ledger {
    resource: &'static str,
    limit: RateLimit,
    used: u32,
    resets_at: SystemTime,
    /// Since the world began.
    pub(super) spent: u64,
    pub(super) refused: u64,
}

/// What is said of a limit beside an answer.
#[derive(Clone, Debug)]
pub(super) struct Rate {
    resource: &'static str,
    allowed: u32,
    used: u32,
    cost: u32,
    resets_at: SystemTime,
}

impl Ledger {
    pub(super) fn of(resource: &'static str) -> Self {
        let limit = RateLimit { allowed: 5000, per: Duration::from_secs(3600) };
        Self {
            resource,
            limit,
            used: 0,
            resets_at: SystemTime::now() + limit.per,
            spent: 0,
            refused: 0,
        }
    }

    /// With a fresh window.
    pub(super) fn set(&mut self, limit: RateLimit) {
        (self.limit, self.used) = (limit, 0);
        self.resets_at = SystemTime::now() + limit.per;
    }

    /// Refusing costs nothing. What is left is enough for one more, whatever it costs.
    pub(super) fn spend(&mut self, cost: u32) -> Result<Rate, Rate> {
        if SystemTime::now() >= self.resets_at {
            self.set(self.limit);
        }
        if self.used >= self.limit.allowed {
            self.refused += 1;
            return Err(self.rate(0));
        }
        self.used = self.used.saturating_add(cost).min(self.limit.allowed);
        self.spent += u64::from(cost);
        Ok(self.rate(cost))
    }

    fn rate(&self, cost: u32) -> Rate {
        let (allowed, used) = (self.limit.allowed, self.used);
        Rate { resource: self.resource, allowed, used, cost, resets_at: self.resets_at }
    }
}

impl Rate {
    pub(super) fn headers(&self) -> HeaderMap {
        let reset =
            self.resets_at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() + 1);
        let numbers = [
            ("x-ratelimit-limit", u64::from(self.allowed)),
            ("x-ratelimit-remaining", u64::from(self.allowed - self.used)),
            ("x-ratelimit-used", u64::from(self.used)),
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
            "limit" => json!(self.allowed),
            "remaining" => json!(self.allowed - self.used),
            "used" => json!(self.used),
            "cost" => json!(self.cost),
            "resetAt" => {
                let at = DateTime::<Utc>::from(self.resets_at);
                json!(at.to_rfc3339_opts(SecondsFormat::Secs, true))
            }
            _ => return None,
        })
    }
}
