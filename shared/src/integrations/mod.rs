//! The integrations of this build: a table of contents.

pub mod devto;
pub mod discord;
pub mod github;
pub mod slack;
pub mod twitter;
pub mod twitter_reach;

use crate::config::PlatformConfig;
use crate::sdk::Registry;
use devto::Devto;
use discord::Discord;
use github::Github;
use slack::Slack;
use twitter::Twitter;
use twitter_reach::TwitterReach;

/// Every integration, speaking to the configured platforms.
pub fn registry(platforms: &PlatformConfig) -> anyhow::Result<Registry> {
    let devto =
        Devto::at(platforms.devto_url.as_str())?.allowing(platforms.devto_requests_per_second);
    let twitter_url = platforms.twitter_url.as_str();
    Ok(Registry::default()
        .with(devto)
        .with(Discord::at(platforms.discord_url.as_str())?)
        .with(Github::at(platforms.github_url.as_str())?)
        .with(Slack::at(platforms.slack_url.as_str())?)
        .with(Twitter::at(twitter_url)?)
        .with(TwitterReach::at(twitter_url)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::CheckSchedule;

    #[test]
    fn every_kind_is_found_with_its_schedule() {
        let registry = registry(&PlatformConfig::default()).expect("a registry");
        let schedules: Vec<_> = registry.iter().map(|kind| (kind.kind(), kind.checks())).collect();
        let expected = [
            ("devto", CheckSchedule::EveryTicks(20)),
            ("discord", CheckSchedule::EveryTicks(20)),
            ("github", CheckSchedule::EveryTicks(20)),
            ("slack", CheckSchedule::EveryTicks(20)),
            ("twitter", CheckSchedule::EveryTicks(30)),
            ("twitter_reach", CheckSchedule::EveryTicks(1440)),
        ];
        assert_eq!(schedules, expected);
    }
}
