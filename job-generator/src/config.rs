//! How a generator works, read once.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use shared::config::Mistakes;
use shared::service::{ServiceArgs, ServiceConfig};

/// Emits ticks, starts the checks that are due, serves the HTTP API.
#[derive(Parser, Debug)]
#[command(name = "job-generator", version)]
pub struct Args {
    #[command(flatten)]
    service: ServiceArgs,
    /// Where the HTTP API is served
    #[arg(long, env = "API_ADDRESS", default_value = "127.0.0.1:8080")]
    api_address: String,
    /// How long a tick is, in seconds; all generators must agree
    #[arg(long, env = "TICK_SECONDS", default_value = "60")]
    tick_seconds: String,
    /// How long other generators wait for a killed leader, in seconds
    #[arg(long, env = "SCHEDULER_LEASE_SECONDS", default_value = "10")]
    scheduler_lease_seconds: String,
}

/// Everything a generator is told, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub service: ServiceConfig,
    pub api_address: SocketAddr,
    pub settings: Settings,
}

impl Args {
    /// Exits with 2 and every mistake, if there is one.
    pub fn check_or_exit(&self) -> Config {
        Mistakes::check_or_exit(|mistakes| self.check(mistakes))
    }

    fn check(&self, mistakes: &mut Mistakes) -> Option<Config> {
        // Each is read before any is looked at, so that every mistake is named.
        let service = self.service.check(mistakes);
        let api_address = mistakes.read("--api-address", &self.api_address);
        let tick = mistakes.read_seconds("--tick-seconds", &self.tick_seconds);
        let lease =
            mistakes.read_seconds("--scheduler-lease-seconds", &self.scheduler_lease_seconds);
        Some(Config {
            service: service?,
            api_address: api_address?,
            settings: Settings { tick: tick?, lease: lease?, ..Settings::default() },
        })
    }
}

/// Lengths. The defaults are what production runs with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who we are, for people: host and process.
    pub holder: String,
    /// How long a tick is.
    pub tick: Duration,
    /// How often we look whether a tick has begun and whether a message is due.
    pub beat: Duration,
    /// How long the scheduler lease lasts without being extended; extended at every beat.
    pub lease: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            holder: shared::service::holder("job-generator"),
            tick: Duration::from_secs(60),
            beat: Duration::from_secs(1),
            lease: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn verify_cli() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let mistaken = [
            ("--api-address", "here"),
            ("--tick-seconds", "18446744073709551615"),
            ("--scheduler-lease-seconds", "0"),
            ("--log", "job_generator=loud"),
        ];
        let args = mistaken.iter().flat_map(|(argument, value)| [*argument, *value]);
        let mut mistakes = Mistakes::default();
        let args = Args::parse_from(["job-generator"].into_iter().chain(args));
        assert!(args.check(&mut mistakes).is_none());
        let all = mistakes.all().join("\n");
        for (argument, _) in mistaken {
            assert!(all.contains(&format!("{argument}: ")), "{argument} is missing in:\n{all}");
        }
    }
}
