//! What is fetched at once, and where that begins.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::settings::Hashtag;
use super::{State, Twitter};
use crate::sdk::{Place, Run, RunMode};

/// How far back the recent search can be asked, less an hour for clocks that differ.
const RECENT: TimeDelta = TimeDelta::hours(7 * 24 - 1);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub enum Stream {
    /// Whose credential it is, for that is whose followers and mentions are read.
    Account,
    /// A page of those who follow a profile, the latest first.
    Followers {
        profile: String,
        #[serde(flatten)]
        place: Place,
    },
    /// A page of the posts that mention a profile, the latest first.
    Mentions {
        profile: String,
        /// Nothing older is asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<DateTime<Utc>>,
        #[serde(flatten)]
        place: Place,
    },
    /// A page of the posts that have a hashtag, the latest first.
    Hashtag {
        tag: Hashtag,
        /// Nothing older is asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<DateTime<Utc>>,
        #[serde(flatten)]
        place: Place,
    },
}

impl Stream {
    /// The first pages of what is read of a profile.
    pub(super) fn of_profile(profile: &str, run: &Run<Twitter>) -> [Self; 2] {
        let mentions =
            Self::Mentions { profile: profile.to_owned(), since: None, place: Place::first() };
        let followers = Self::Followers { profile: profile.to_owned(), place: Place::first() };
        [followers, mentions.since_the_last(run)]
    }

    pub(super) fn of_hashtag(tag: &Hashtag, run: &Run<Twitter>) -> Self {
        let whole = Self::Hashtag { tag: tag.clone(), since: None, place: Place::first() };
        let searchable = run.connection.started_at - RECENT;
        let new = whole.clone().since_the_last(run);
        // A tag nobody used for a week has nothing to skip.
        if new.since().is_some_and(|since| since < searchable) { whole } else { new }
    }

    fn since_the_last(mut self, run: &Run<Twitter>) -> Self {
        let read = self.list().and_then(|list| remembered(run)?.read_since(&list));
        if let Self::Mentions { since, .. } | Self::Hashtag { since, .. } = &mut self {
            *since = read;
        }
        self
    }

    /// What it is a page of, in the words of the state.
    pub(super) fn list(&self) -> Option<String> {
        match self {
            Self::Account => None,
            Self::Followers { profile, .. } => Some(format!("followers/{profile}")),
            Self::Mentions { profile, .. } => Some(format!("mentions/{profile}")),
            Self::Hashtag { tag, .. } => Some(format!("hashtag/{tag}")),
        }
    }

    pub(super) fn since(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Mentions { since, .. } | Self::Hashtag { since, .. } => *since,
            Self::Account | Self::Followers { .. } => None,
        }
    }

    /// Another page of the same.
    pub(super) fn at(&self, there: Place) -> Self {
        let mut page = self.clone();
        if let Self::Followers { place, .. }
        | Self::Mentions { place, .. }
        | Self::Hashtag { place, .. } = &mut page
        {
            *place = there;
        }
        page
    }

    /// The first page of all there is.
    pub(super) fn of_everything(&self) -> Self {
        let mut first = self.at(Place::first());
        if let Self::Mentions { since, .. } | Self::Hashtag { since, .. } = &mut first {
            *since = None;
        }
        first
    }
}

/// `None` in an onboarding, which reads everything.
pub(super) fn remembered(run: &Run<Twitter>) -> Option<&State> {
    (run.connection.mode == RunMode::Check).then_some(&run.connection.state)
}
