//! What a tenant enters: how their app is distributed, which decides what it may ask.

use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;

use super::looks::{OVERLAP, Reach};
use crate::sdk::{CountedBy, RequestLimit};

/// Entered as `{"app": "unlisted", "private_channels": false}`; either may be left out.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    #[serde(default)]
    pub app: App,
    /// Whether private channels are listed, too: those the app was invited to. An app without
    /// `groups:read` may not even ask for them.
    #[serde(default = "yes")]
    pub private_channels: bool,
}

/// Slack grants an app requests according to how it is distributed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum App {
    /// Made by the customer for their own workspace.
    #[default]
    Internal,
    /// Approved for the Slack Marketplace.
    Marketplace,
    /// Sold outside the Marketplace: messages come fifteen at a time, once a minute.
    Unlisted,
}

fn yes() -> bool {
    true
}

impl Settings {
    /// As `conversations.list` calls them.
    pub(super) fn channel_types(&self) -> &'static str {
        if self.private_channels { "public_channel,private_channel" } else { "public_channel" }
    }
}

impl App {
    /// Messages on a page: as many as Slack recommends, or allows.
    pub(super) fn messages_per_page(self) -> u32 {
        if self == Self::Unlisted { 15 } else { 200 }
    }

    pub(super) fn history(self) -> &'static RequestLimit {
        static TIER_3: RequestLimit = per_minute("conversations.history", 50);
        static UNLISTED: RequestLimit = per_minute("conversations.history", 1);
        if self == Self::Unlisted { &UNLISTED } else { &TIER_3 }
    }

    pub(super) fn replies(self) -> &'static RequestLimit {
        static TIER_3: RequestLimit = per_minute("conversations.replies", 50);
        static UNLISTED: RequestLimit = per_minute("conversations.replies", 1);
        if self == Self::Unlisted { &UNLISTED } else { &TIER_3 }
    }

    /// How far back a check looks for threads that were answered, the nearest first. What is near
    /// costs nothing on a page of two hundred, but minutes on pages of fifteen.
    pub(super) fn reaches(self) -> &'static [Reach] {
        const ROOMY: &[Reach] = &[
            Reach { back: TimeDelta::days(1), every: TimeDelta::zero() },
            Reach { back: TimeDelta::days(7), every: TimeDelta::hours(6) },
            Reach { back: TimeDelta::days(30), every: TimeDelta::days(1) },
        ];
        const NARROW: &[Reach] = &[
            Reach { back: OVERLAP, every: TimeDelta::zero() },
            Reach { back: TimeDelta::days(2), every: TimeDelta::days(1) },
            Reach { back: TimeDelta::days(14), every: TimeDelta::days(7) },
        ];
        if self == Self::Unlisted { NARROW } else { ROOMY }
    }

    /// Threads that began before this are looked at one by one, and only while they are answered.
    pub(super) fn horizon(self) -> TimeDelta {
        self.reaches().last().map_or(OVERLAP, |furthest| furthest.back)
    }
}

/// Slack counts by method, workspace and app: by what one token stands for.
pub(super) const fn per_minute(method: &'static str, allowed: u32) -> RequestLimit {
    RequestLimit::new(method, allowed, Duration::from_secs(60), CountedBy::Credential)
}
