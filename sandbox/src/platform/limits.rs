//! Limits that count: so much in a window, then nothing until it closes.

use std::ops::Add;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Or what they cost, where a platform counts that.
    pub requests: u32,
    pub per: Duration,
}

/// One window after another: each opens with the first request after the last one closed. The
/// instants are of the platform's own clock.
#[derive(Clone, Copy, Debug)]
pub struct Window<T>(Option<Open<T>>);

#[derive(Clone, Copy, Debug)]
struct Open<T> {
    closes_at: T,
    used: u32,
}

/// What became of a request, and of its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally<T> {
    pub admitted: bool,
    pub limit: u32,
    pub used: u32,
    pub closes_at: T,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Copy + Ord + Add<Duration, Output = T>> Window<T> {
    pub fn admit(&mut self, limit: RateLimit, now: T) -> Tally<T> {
        self.spend(1, limit, now)
    }

    /// Refusing costs nothing. What is left is enough for one more, whatever it costs.
    pub fn spend(&mut self, cost: u32, limit: RateLimit, now: T) -> Tally<T> {
        let RateLimit { requests, per } = limit;
        let open = self.0.filter(|window| now < window.closes_at);
        let Open { closes_at, used } = open.unwrap_or(Open { closes_at: now + per, used: 0 });
        let admitted = used < requests;
        let used = if admitted { used.saturating_add(cost).min(requests) } else { used };
        self.0 = Some(Open { closes_at, used });
        Tally { admitted, limit: requests, used, closes_at }
    }
}

impl<T> Tally<T> {
    pub fn remaining(&self) -> u32 {
        self.limit - self.used
    }
}

/// Rounded up: who waits so long is admitted.
pub fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{RateLimit, Window};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_window_admits_its_requests_and_then_says_when_it_closes() {
        let limit = RateLimit { requests: 2, per: 10 * SECOND };
        let (mut window, opened) = (Window::default(), Instant::now());
        let mut admitted = |at: u32| {
            let tally = window.admit(limit, opened + at * SECOND);
            (tally.admitted, tally.remaining(), (tally.closes_at - opened).as_secs())
        };
        assert_eq!(admitted(0), (true, 1, 10));
        assert_eq!(admitted(3), (true, 0, 10));
        assert_eq!(admitted(9), (false, 0, 10));
        assert_eq!(admitted(11), (true, 1, 21), "the next opens with the request");
    }

    #[test]
    fn what_is_left_is_enough_for_one_more_whatever_it_costs() {
        let limit = RateLimit { requests: 10, per: SECOND };
        let (mut window, now) = (Window::default(), Instant::now());
        let mut spent = |cost| {
            let tally = window.spend(cost, limit, now);
            (tally.admitted, tally.used)
        };
        assert_eq!([9, 9, 1].map(&mut spent), [(true, 9), (true, 10), (false, 10)]);
    }
}
