//! Where `now` comes from. Nothing else in Millrace asks the machine for the time of day.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};

/// The time of day: the system's in production, turned by hand in tests.
///
/// Statements that compare instants with rows pass [`Clock::in_database`] and say
/// `coalesce($n, now())`: production uses the database's clock, so a worker whose own clock is off
/// by ten minutes neither steals a lease nor loses one.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    #[default]
    System,
    Turned(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// A clock that stands still until [`Clock::turn_to`] or [`Clock::advance`] moves it.
    pub fn standing_at(now: DateTime<Utc>) -> Self {
        Self::Turned(Arc::new(Mutex::new(now)))
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.in_database().unwrap_or_else(Utc::now)
    }

    /// What to pass to SQL: `None` means the database's own `now()`.
    pub fn in_database(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::System => None,
            // A poisoned clock still tells the time: the value is a plain instant.
            Self::Turned(now) => Some(*now.lock().unwrap_or_else(|poisoned| poisoned.into_inner())),
        }
    }

    /// Panics on the system's clock: only a test turns time.
    pub fn turn_to(&self, to: DateTime<Utc>) {
        match self {
            Self::System => panic!("the system's clock cannot be turned"),
            Self::Turned(now) => *now.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = to,
        }
    }

    pub fn advance(&self, by: std::time::Duration) {
        self.turn_to(self.now() + by);
    }
}
