//! Slack's limits: so many requests a minute, for each method by itself.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::grants::Distribution;
use crate::platform::{RateLimit, Window};

const MINUTE: Duration = Duration::from_secs(60);

/// How the limits are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// By the clock.
    Clock,
    /// Whoever is refused is believed to wait as long as they were told, so for the limits that
    /// time has passed. For tests, which do not wait.
    Patience,
}

#[derive(Debug, Default)]
pub(super) struct Limits {
    pace: Option<Pace>,
    windows: HashMap<String, Window<Instant>>,
    /// What patience has passed.
    passed: Duration,
}

impl Limits {
    pub(super) fn set(&mut self, pace: Option<Pace>) {
        *self = Self { pace, ..Self::default() };
    }

    /// Refusing says after how long to come back.
    pub(super) fn admit(
        &mut self,
        method: &str,
        distribution: Distribution,
        now: Instant,
    ) -> Result<(), Duration> {
        let Some(pace) = self.pace else { return Ok(()) };
        let now = now + self.passed;
        let limit = RateLimit { requests: allowed(method, distribution), per: MINUTE };
        let tally = self.windows.entry(method.to_owned()).or_default().admit(limit, now);
        if tally.admitted {
            return Ok(());
        }
        let left = tally.closes_at - now;
        if pace == Pace::Patience {
            self.passed += left;
        }
        Err(left)
    }
}

/// In a minute, as documented.
fn allowed(method: &str, distribution: Distribution) -> u32 {
    match (method, distribution) {
        ("conversations.history" | "conversations.replies", Distribution::Unlisted) => 1,
        ("conversations.history" | "conversations.replies" | "conversations.info", _) => 50,
        ("conversations.list" | "users.list", _) => 20,
        _ => 100,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Limits, Pace};
    use crate::slack::grants::Distribution::{Internal, Unlisted};

    const HISTORY: &str = "conversations.history";

    #[test]
    fn each_method_has_a_minute_of_its_own() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        limits.set(Some(Pace::Clock));
        assert_eq!(limits.admit(HISTORY, Unlisted, start), Ok(()));
        assert_eq!(limits.admit("conversations.replies", Unlisted, start), Ok(()));
        let early = start + Duration::from_secs(20);
        assert_eq!(limits.admit(HISTORY, Unlisted, early), Err(Duration::from_secs(40)));
        assert_eq!(limits.admit(HISTORY, Unlisted, start + Duration::from_secs(60)), Ok(()));
    }

    #[test]
    fn the_patient_are_admitted_after_each_refusal() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        limits.set(Some(Pace::Patience));
        let admitted = |limits: &mut Limits| limits.admit(HISTORY, Unlisted, now).is_ok();
        assert_eq!([0; 4].map(|_| admitted(&mut limits)), [true, false, true, false]);
    }

    #[test]
    fn an_internal_app_has_fifty_a_minute() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        limits.set(Some(Pace::Clock));
        let admitted = (0..60).filter(|_| limits.admit(HISTORY, Internal, now).is_ok()).count();
        assert_eq!(admitted, 50);
    }
}
