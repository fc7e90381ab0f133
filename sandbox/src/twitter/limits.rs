//! X's rate limits: so many requests of a class in a quarter of an hour, for each user by whom an
//! application asks.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::records::UserId;
use crate::platform::{RateLimit, Tally, Window};

const QUARTER_OF_AN_HOUR: Duration = Duration::from_secs(15 * 60);

/// Which requests count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    Me,
    UsersBy,
    Followers,
    Mentions,
    RecentSearch,
}

#[derive(Default)]
pub(super) struct Limits {
    set: HashMap<Class, RateLimit>,
    windows: HashMap<(UserId, Class), Window<DateTime<Utc>>>,
}

impl Class {
    /// By docs.x.com, "Rate limits", per user, as of autumn 2026.
    fn limit(self) -> RateLimit {
        let requests = match self {
            Self::Me => 75,
            Self::UsersBy => 900,
            Self::Followers | Self::Mentions | Self::RecentSearch => 300,
        };
        RateLimit { requests, per: QUARTER_OF_AN_HOUR }
    }
}

impl Limits {
    /// From now on, with fresh windows.
    pub(super) fn set(&mut self, class: Class, limit: RateLimit) {
        self.set.insert(class, limit);
        self.windows.retain(|(_, counted), _| *counted != class);
    }

    pub(super) fn admit(
        &mut self,
        user: UserId,
        class: Class,
        now: DateTime<Utc>,
    ) -> Tally<DateTime<Utc>> {
        let limit = *self.set.get(&class).unwrap_or(&class.limit());
        self.windows.entry((user, class)).or_default().admit(limit, now)
    }
}
