//! Discord's limits: a bucket for each route and guild or channel, and one over all requests.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

/// So many requests in a window, which opens with the first after the last one closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub requests: u32,
    pub per: Duration,
}

/// The limits that are kept. Without one nobody is refused, but every answer speaks of its bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of each bucket.
    pub route: Option<Rate>,
    pub global: Option<Rate>,
}

/// What a bucket says where no limit is kept.
const GENEROUS: Rate = Rate { requests: 1_000_000, per: Duration::from_secs(1) };

#[derive(Default)]
pub(super) struct Limiter {
    limits: Limits,
    buckets: HashMap<String, Window>,
    global: Option<Window>,
    pub(super) refused: u64,
}

#[derive(Clone, Copy)]
struct Window {
    closes_at: Instant,
    left: u32,
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
    /// Replaces the limits and forgets the windows; the count of the refused goes on.
    pub(super) fn set(&mut self, limits: Limits) {
        *self = Self { limits, refused: self.refused, ..Self::default() };
    }

    pub(super) fn admit(&mut self, bucket: &str, now: Instant) -> Admission {
        let admission = self.judge(bucket, now);
        self.refused += u64::from(admission.refused.is_some());
        admission
    }

    fn judge(&mut self, bucket: &str, now: Instant) -> Admission {
        if let Some(rate) = self.limits.global {
            let window = self.global.get_or_insert(Window::open(rate, now));
            if !window.take(rate, now) {
                return window.admission(rate, now, Some(By::Global));
            }
        }
        let rate = self.limits.route.unwrap_or(GENEROUS);
        let window = self.buckets.entry(bucket.to_owned()).or_insert(Window::open(rate, now));
        let refused = (!window.take(rate, now)).then_some(By::Route);
        window.admission(rate, now, refused)
    }
}

impl Window {
    fn open(rate: Rate, now: Instant) -> Self {
        Self { closes_at: now + rate.per, left: rate.requests }
    }

    fn take(&mut self, rate: Rate, now: Instant) -> bool {
        if now >= self.closes_at {
            *self = Self::open(rate, now);
        }
        let admitted = self.left > 0;
        self.left = self.left.saturating_sub(1);
        admitted
    }

    fn admission(&self, rate: Rate, now: Instant, refused: Option<By>) -> Admission {
        let reset_after = self.closes_at.saturating_duration_since(now);
        Admission { limit: rate.requests, remaining: self.left, reset_after, refused }
    }
}

impl Admission {
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
        let retry_after = ("retry-after", (seconds.ceil() as u64).to_string());
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
