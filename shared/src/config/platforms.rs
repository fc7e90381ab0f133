//! Where the platforms are.

use clap::Args;
use url::Url;

use super::Mistakes;

const DEVTO: &str = "https://dev.to";
const DISCORD: &str = "https://discord.com/api/v10";
const GITHUB: &str = "https://api.github.com";
const SLACK: &str = "https://slack.com/api";
const TWITTER: &str = "https://api.x.com";

/// Where the platforms are. Only somebody with a simulated one changes it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Platforms")]
pub struct PlatformArgs {
    /// dev.to, or another site that runs Forem
    #[arg(long, env = "DEVTO_URL", default_value = DEVTO)]
    pub devto_url: String,
    /// What it allows one address in a second; a Forem of your own may allow more
    #[arg(long, env = "DEVTO_REQUESTS_PER_SECOND", default_value = "3")]
    pub devto_requests_per_second: String,
    /// Discord's API
    #[arg(long, env = "DISCORD_URL", default_value = DISCORD)]
    pub discord_url: String,
    /// GitHub's API
    #[arg(long, env = "GITHUB_URL", default_value = GITHUB)]
    pub github_url: String,
    /// Slack's Web API
    #[arg(long, env = "SLACK_URL", default_value = SLACK)]
    pub slack_url: String,
    /// X, formerly Twitter
    #[arg(long, env = "TWITTER_URL", default_value = TWITTER)]
    pub twitter_url: String,
}

#[derive(Clone, Debug)]
pub struct PlatformConfig {
    pub devto_url: Url,
    pub devto_requests_per_second: u32,
    pub discord_url: Url,
    pub github_url: Url,
    pub slack_url: Url,
    pub twitter_url: Url,
}

impl PlatformArgs {
    pub fn check(&self, mistakes: &mut Mistakes) -> Option<PlatformConfig> {
        // Each is read before any is looked at, so that every mistake is named.
        let devto_url = mistakes.read_url("--devto-url", &self.devto_url);
        let argument = "--devto-requests-per-second";
        let devto_requests_per_second =
            mistakes.read_count(argument, &self.devto_requests_per_second);
        let discord_url = mistakes.read_url("--discord-url", &self.discord_url);
        let github_url = mistakes.read_url("--github-url", &self.github_url);
        let slack_url = mistakes.read_url("--slack-url", &self.slack_url);
        let twitter_url = mistakes.read_url("--twitter-url", &self.twitter_url);
        Some(PlatformConfig {
            devto_url: devto_url?,
            devto_requests_per_second: devto_requests_per_second?,
            discord_url: discord_url?,
            github_url: github_url?,
            slack_url: slack_url?,
            twitter_url: twitter_url?,
        })
    }
}

/// The real ones.
impl Default for PlatformConfig {
    fn default() -> Self {
        let real = |url: &str| url.parse().expect("the constants above are URLs");
        Self {
            devto_url: real(DEVTO),
            devto_requests_per_second: 3,
            discord_url: real(DISCORD),
            github_url: real(GITHUB),
            slack_url: real(SLACK),
            twitter_url: real(TWITTER),
        }
    }
}
