//! X's rate limits: so many requests of a class in a quarter of an hour, for each user by whom an
//! application asks.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::records::UserId;

/// Which requests count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    Me,
    UsersBy,
    Followers,
    Mentions,
    RecentSearch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    pub requests: u32,
    pub per: TimeDelta,
}

/// What every answer says in its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    pub(super) resets_at: DateTime<Utc>,
    pub(super) admitted: bool,
}

#[derive(Default)]
pub(super) struct Limits {
    set: HashMap<Class, RateLimit>,
    windows: HashMap<(UserId, Class), Window>,
    pub(super) refused: u64,
}

struct Window {
    closes_at: DateTime<Utc>,
    admitted: u32,
}

impl Class {
    /// By docs.x.com, "Rate limits", per user, as of autumn 2026.
    fn limit(self) -> RateLimit {
        let requests = match self {
            Self::Me => 75,
            Self::UsersBy => 900,
            Self::Followers | Self::Mentions | Self::RecentSearch => 300,
        };
        RateLimit { requests, per: TimeDelta::minutes(15) }
    }
}

impl Limits {
    /// From now on, with fresh windows.
    pub(super) fn set(&mut self, class: Class, limit: RateLimit) {
        self.set.insert(class, limit);
        self.windows.retain(|(_, counted), _| *counted != class);
    }

    /// A window opens with the first request after the last one closed.
    pub(super) fn admit(&mut self, user: UserId, class: Class, now: DateTime<Utc>) -> Tally {
        let RateLimit { requests, per } = *self.set.get(&class).unwrap_or(&class.limit());
        let window = self
            .windows
            .entry((user, class))
            .and_modify(|window| {
                if window.closes_at <= now {
                    *window = Window { closes_at: now + per, admitted: 0 };
                }
            })
            .or_insert(Window { closes_at: now + per, admitted: 0 });
        let admitted = window.admitted < requests;
        window.admitted += u32::from(admitted);
        self.refused += u64::from(!admitted);
        Tally {
            limit: requests,
            remaining: requests - window.admitted,
            resets_at: window.closes_at,
            admitted,
        }
    }
}
