//! The site's rate limit: so many requests in a window, then 429 until the window is over.

use std::time::Duration;

use tokio::time::Instant;

/// A fixed window, as the site's own: it opens with the first request after the last one closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    pub requests: u32,
    pub per: Duration,
}

#[derive(Default)]
pub(super) struct Limiter {
    limit: Option<RateLimit>,
    window: Option<Window>,
    pub(super) refused: u64,
}

struct Window {
    closes_at: Instant,
    admitted: u32,
}

impl Limiter {
    /// Replaces the limit and forgets the window; the count of the refused goes on.
    pub(super) fn set(&mut self, limit: Option<RateLimit>) {
        self.limit = limit;
        self.window = None;
    }

    /// Refusing says how long the window stays closed: never nothing.
    pub(super) fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        let Some(limit) = self.limit else {
            return Ok(());
        };
        let open = self.window.take().filter(|window| now < window.closes_at);
        let mut window = open.unwrap_or(Window { closes_at: now + limit.per, admitted: 0 });
        let admitted = window.admitted < limit.requests;
        window.admitted += u32::from(admitted);
        let left = window.closes_at - now;
        self.window = Some(window);
        self.refused += u64::from(!admitted);
        if admitted { Ok(()) } else { Err(left) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Limiter, RateLimit};

    #[test]
    fn a_window_admits_its_requests_and_then_says_how_long_it_stays_closed() {
        let second = Duration::from_secs(1);
        let opened = Instant::now();
        let mut limiter = Limiter::default();
        limiter.set(Some(RateLimit { requests: 2, per: 10 * second }));
        assert_eq!(limiter.admit(opened), Ok(()));
        assert_eq!(limiter.admit(opened + 3 * second), Ok(()));
        assert_eq!(limiter.admit(opened + 4 * second), Err(6 * second));
        assert_eq!(limiter.admit(opened + 9 * second), Err(second));
        assert_eq!(limiter.admit(opened + 10 * second), Ok(()));
        assert_eq!(limiter.refused, 2);
    }

    #[test]
    fn without_a_limit_everybody_is_admitted() {
        let mut limiter = Limiter::default();
        assert!((0..1000).all(|_| limiter.admit(Instant::now()).is_ok()));
    }
}
