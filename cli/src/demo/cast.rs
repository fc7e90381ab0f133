//! Who plays in the demonstration: simulated platforms, and what people do on them.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use shared::config::PlatformConfig;
use shared::domain::IntegrationId;
use shared::store::Store;

use super::devto::DevtoAct;
use super::discord::DiscordAct;
use super::github::GithubAct;
use super::slack::SlackAct;
use super::twitter::{self, ReachAct, TwitterAct};

/// A simulated platform, as a tenant and the people on it see it.
#[async_trait]
pub(super) trait Act: Send + Sync {
    fn kind(&self) -> &'static str;
    /// Whose credential it takes.
    fn platform(&self) -> &'static str {
        self.kind()
    }
    fn url(&self) -> String;
    /// What the tenant types when connecting.
    fn settings(&self) -> Value;
    /// What lets them in, if it is needed and nobody before has brought it for the same platform.
    fn credential(&self) -> Option<Value> {
        None
    }
    /// Not by the ticks of a demonstration, but by asking for it.
    fn is_checked_daily(&self) -> bool {
        false
    }
    /// Lets people write, in the first round or the second.
    async fn write_upstream(&self, round: usize) -> Written;
    /// Requests of this integration that it has answered so far.
    fn requests(&self) -> u64;
    /// What is counted of what is stored.
    fn counted(&self) -> &'static str {
        "activities"
    }
    /// How many of these are stored.
    async fn stored(&self, store: &Store, integration: IntegrationId) -> anyhow::Result<i64> {
        let stored = store.count_stored_by_type().await?;
        let of_it = stored.iter().filter(|of_type| of_type.integration == integration);
        Ok(of_it.map(|of_type| of_type.activities).sum())
    }
}

/// What people did upstream.
pub(super) struct Written {
    /// As the end of "On dev.to, …".
    pub(super) said: String,
    /// How many more a check has to find of what is counted.
    pub(super) new: i64,
}

/// How large the simulated communities are.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    pub(super) comments: usize,
}

pub(super) async fn cast(scale: Scale) -> anyhow::Result<Vec<Box<dyn Act>>> {
    let twitter = twitter::Stage::set().await?;
    Ok(vec![
        Box::new(DevtoAct::begin(scale).await?),
        Box::new(DiscordAct::begin().await?),
        Box::new(GithubAct::begin().await?),
        Box::new(SlackAct::begin().await?),
        Box::new(TwitterAct(Arc::clone(&twitter))),
        Box::new(ReachAct(twitter)),
    ])
}

/// The addresses at which the cast plays.
pub(super) fn platforms(cast: &[Box<dyn Act>]) -> anyhow::Result<PlatformConfig> {
    let url = |kind: &str| {
        let act = cast.iter().find(|act| act.kind() == kind);
        act.map(|act| act.url()).unwrap_or_default().parse()
    };
    Ok(PlatformConfig {
        devto_url: url("devto")?,
        // As its simulation allows.
        devto_requests_per_second: 50,
        discord_url: url("discord")?,
        github_url: url("github")?,
        slack_url: url("slack")?,
        twitter_url: url("twitter")?,
    })
}
