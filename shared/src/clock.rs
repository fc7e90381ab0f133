//! Where `now` comes from. Nothing else in Millrace asks the machine for the time of day.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

/// The time of day: the system's in production, turned by hand in tests.
///
/// Statements that compare instants with rows pass [`Clock::in_database`] and say
/// `coalesce($n, now())`: production uses the database's clock, so a worker whose own clock is off
/// by ten minutes neither steals a lease nor loses one.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    #[default]
    System,
    /// Clones share one time, and who sleeps by it wakes when it is turned.
    Turned(watch::Sender<DateTime<Utc>>),
}

impl Clock {
    /// A clock that stands still until [`Clock::turn_to`] or [`Clock::advance`] moves it.
    pub fn standing_at(now: DateTime<Utc>) -> Self {
        Self::Turned(watch::Sender::new(now))
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.in_database().unwrap_or_else(Utc::now)
    }

    /// What to pass to SQL: `None` means the database's own `now()`.
    pub fn in_database(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::System => None,
            Self::Turned(now) => Some(*now.borrow()),
        }
    }

    /// Returns once it is that late; at once if it already is.
    pub async fn sleep_until(&self, at: DateTime<Utc>) {
        match self {
            Self::System => {
                tokio::time::sleep((at - Utc::now()).to_std().unwrap_or_default()).await;
            }
            Self::Turned(now) => {
                // Fails only when every sender is gone, and `now` is one.
                let _ = now.subscribe().wait_for(|now| *now >= at).await;
            }
        }
    }

    /// How long it has been running. Unlike the time of day it never jumps; only the length between
    /// two of these means anything.
    pub fn running(&self) -> Duration {
        static SINCE: LazyLock<Instant> = LazyLock::new(Instant::now);
        match self {
            Self::System => SINCE.elapsed(),
            Self::Turned(now) => {
                (*now.borrow() - DateTime::UNIX_EPOCH).to_std().unwrap_or_default()
            }
        }
    }

    /// Panics on the system's clock: only a test turns time.
    pub fn turn_to(&self, to: DateTime<Utc>) {
        match self {
            Self::System => panic!("the system's clock cannot be turned"),
            Self::Turned(now) => drop(now.send_replace(to)),
        }
    }

    pub fn advance(&self, by: Duration) {
        self.turn_to(self.now() + by);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn who_sleeps_by_a_turned_clock_wakes_when_it_is_turned_far_enough() {
        let clock = Clock::standing_at(DateTime::UNIX_EPOCH);
        let alarm = clock.clone();
        let mut sleeper =
            Box::pin(alarm.sleep_until(DateTime::UNIX_EPOCH + Duration::from_secs(60)));
        assert!(sleeper.as_mut().now_or_never().is_none());

        clock.advance(Duration::from_secs(59));
        assert!(sleeper.as_mut().now_or_never().is_none());

        clock.advance(Duration::from_secs(1));
        sleeper.await;
    }

    #[tokio::test]
    async fn a_time_that_has_passed_is_not_waited_for() {
        Clock::System.sleep_until(DateTime::UNIX_EPOCH).await;
        let clock = Clock::standing_at(DateTime::UNIX_EPOCH);
        clock.sleep_until(DateTime::UNIX_EPOCH).await;
    }
}
