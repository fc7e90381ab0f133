//! Discord's limits: a bucket for each route and guild or channel, and one over all requests.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::platform::{RateLimit, Tally, Window, whole_seconds};

/// The limits that are kept. Without one nobody is refused, but every answer speaks of its bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of each bucket.
    pub route: Option<RateLimit>,
    pub global: Option<RateLimit>,
}

/// What a bucket says where no limit is kept.
const GENEROUS: RateLimit = RateLimit { requests: 1_000_000, per: Duration::from_secs(1) };

#[derive(Default)]
pub(super) struct Limiter {
    limits: Limits,
    buckets: HashMap<String, Window<Instant>>,
    global: Window<Instant>,
}

/// What became of a request: the state of its bucket, and whether and by whom it was refused.
#[derive(Clone, Copy)]
pub(super) struct Admission {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    pub(super) reset_after: Duration,
    pub(super) refused: Option<By>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Route,
    Global,
}

impl Limiter {
    /// Replaces the limits and forgets the windows.
    pub(super) fn set(&mut self, limits: Limits) {
        *self = Self { limits, ..Self::default() };
    }

    pub(super) fn admit(&mut self, bucket: &str, now: Instant) -> Admission {
        if let Some(limit) = self.limits.global {
            let tally = self.global.admit(limit, now);
            if !tally.admitted {
                return Admission::of(tally, now, Some(By::Global));
            }
        }
        let limit = self.limits.route.unwrap_or(GENEROUS);
        let tally = self.buckets.entry(bucket.to_owned()).or_default().admit(limit, now);
        Admission::of(tally, now, (!tally.admitted).then_some(By::Route))
    }
}

impl Admission {
    fn of(tally: Tally<Instant>, now: Instant, refused: Option<By>) -> Self {
        let reset_after = tally.closes_at.saturating_duration_since(now);
        Self { limit: tally.limit, remaining: tally.remaining(), reset_after, refused }
    }

    /// What every answer says of its bucket. The global limit has none, and says only when.
    pub(super) fn headers(&self, bucket: &str, now: f64) -> HeaderMap {
        let seconds = self.reset_after.as_secs_f64();
        let of_bucket = [
            ("x-ratelimit-limit", self.limit.to_string()),
            ("x-ratelimit-remaining", self.remaining.to_string()),
            ("x-ratelimit-reset", format!("{:.3}", now + seconds)),
            ("x-ratelimit-reset-after", format!("{seconds:.3}")),
            ("x-ratelimit-bucket", bucket.to_owned()),
        ];
        let retry_after = ("retry-after", whole_seconds(self.reset_after).to_string());
        let lines = match self.refused {
            None => of_bucket.to_vec(),
            Some(By::Route) => {
                let of_refusal = [retry_after, ("x-ratelimit-scope", "user".to_owned())];
                of_bucket.into_iter().chain(of_refusal).collect()
            }
            Some(By::Global) => vec![
                retry_after,
                ("x-ratelimit-scope", "global".to_owned()),
                ("x-ratelimit-global", "true".to_owned()),
            ],
        };
        lines.into_iter().map(line).collect()
    }
}

fn line((name, value): (&'static str, String)) -> (HeaderName, HeaderValue) {
    let value = value.parse().expect("numbers and words are visible ASCII");
    (HeaderName::from_static(name), value)
}
