//! The site's rate limit: so many requests in a window, then 429 until the window is over.

use std::time::Duration;

use tokio::time::Instant;

use crate::platform::{RateLimit, Window};

#[derive(Default)]
pub(super) struct Limiter {
    limit: Option<RateLimit>,
    window: Window<Instant>,
}

impl Limiter {
    /// Replaces the limit and forgets the window.
    pub(super) fn set(&mut self, limit: Option<RateLimit>) {
        *self = Self { limit, window: Window::default() };
    }

    /// Refusing says how long the window stays closed: never nothing.
    pub(super) fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        let Some(limit) = self.limit else {
            return Ok(());
        };
        let tally = self.window.admit(limit, now);
        if tally.admitted { Ok(()) } else { Err(tally.closes_at - now) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Limiter, RateLimit};

    #[test]
    fn whoever_is_refused_is_told_how_long_the_window_stays_closed() {
        let second = Duration::from_secs(1);
        let opened = Instant::now();
        let mut limiter = Limiter::default();
        limiter.set(Some(RateLimit { requests: 1, per: 10 * second }));
        assert_eq!(limiter.admit(opened), Ok(()));
        assert_eq!(limiter.admit(opened + 4 * second), Err(6 * second));
        assert_eq!(limiter.admit(opened + 10 * second), Ok(()));
    }

    #[test]
    fn without_a_limit_everybody_is_admitted() {
        let mut limiter = Limiter::default();
        assert!((0..1000).all(|_| limiter.admit(Instant::now()).is_ok()));
    }
}
