//! How a worker works, read once.

use std::time::Duration;

use clap::Parser;
use shared::config::Mistakes;
use shared::service::{ServiceArgs, ServiceConfig};

/// Takes messages from the queue, runs integrations, commits what they find.
#[derive(Parser, Debug)]
#[command(name = "worker", version)]
pub struct Args {
    #[command(flatten)]
    service: ServiceArgs,
    /// Runs worked at the same time
    #[arg(long, env = "WORKER_RUNS", default_value = "16")]
    runs: String,
    /// Streams of one run stepped at the same time, where its kind does not ask for less
    #[arg(long, env = "STREAMS_PER_RUN", default_value = "64")]
    streams_per_run: String,
    /// How long a killed worker's runs wait before another takes over, in seconds
    #[arg(long, env = "LEASE_SECONDS", default_value = "30")]
    lease_seconds: String,
    /// How long a run is worked before others get their turn, in seconds
    #[arg(long, env = "SLICE_SECONDS", default_value = "300")]
    slice_seconds: String,
    /// The first wait after a failure, in seconds; doubled for each further one
    #[arg(long, env = "BACKOFF_SECONDS", default_value = "5")]
    backoff_seconds: String,
}

/// Everything a worker is told, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub service: ServiceConfig,
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
        let runs = mistakes.read_count("--runs", &self.runs);
        let streams = mistakes.read_count("--streams-per-run", &self.streams_per_run);
        let lease = mistakes.read_seconds("--lease-seconds", &self.lease_seconds);
        let slice = mistakes.read_seconds("--slice-seconds", &self.slice_seconds);
        let backoff_base = mistakes.read_seconds("--backoff-seconds", &self.backoff_seconds);
        let visibility = self.service.visibility();
        if lease.zip(visibility).is_some_and(|(lease, visibility)| visibility < lease) {
            mistakes.note("--visibility-seconds", "must not be shorter than --lease-seconds");
        }
        let settings = Settings {
            runs: runs?,
            streams: streams?,
            lease: lease?,
            slice: slice?,
            backoff_base: backoff_base?,
            visibility: visibility?,
            ..Settings::default()
        };
        Some(Config { service: service?, settings })
    }
}

/// Bounds and lengths. The defaults are what production runs with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who we are, for people: host and process.
    pub holder: String,
    /// Runs worked at the same time.
    pub runs: usize,
    /// How long a lease lasts without being extended. It is extended at a third of that, and after
    /// a kill somebody else takes over at its end.
    pub lease: Duration,
    /// How long a message stays invisible without being extended; extended with the lease.
    pub visibility: Duration,
    /// How long a run is worked before it is handed back with a fresh message.
    pub slice: Duration,
    /// The first back-off of a failure; doubled for each further one, with full jitter.
    pub backoff_base: Duration,
    /// The longest back-off.
    pub backoff_cap: Duration,
    /// Streams of one run stepped at the same time, where an integration does not ask for less.
    pub streams: usize,
    /// How long pages in flight may take to finish when the worker is told to stop.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            holder: shared::service::holder("worker"),
            runs: 16,
            lease: Duration::from_secs(30),
            visibility: Duration::from_secs(60),
            slice: Duration::from_secs(300),
            backoff_base: Duration::from_secs(5),
            backoff_cap: Duration::from_secs(600),
            streams: 64,
            grace: Duration::from_secs(5),
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
            ("--runs", "0"),
            ("--streams-per-run", "0"),
            // Shorter than the lease.
            ("--visibility-seconds", "60"),
            ("--slice-seconds", "18446744073709551615"),
            ("--backoff-seconds", "86401"),
            ("--admin-address", "nowhere"),
            ("--log-format", "xml"),
            ("--log", "worker=loud"),
        ];
        let args = mistaken.iter().flat_map(|(argument, value)| [*argument, *value]);
        let mut mistakes = Mistakes::default();
        let args = Args::parse_from(["worker", "--lease-seconds", "90"].into_iter().chain(args));
        assert!(args.check(&mut mistakes).is_none());
        let all = mistakes.all().join("\n");
        for (argument, _) in mistaken {
            assert!(all.contains(&format!("{argument}: ")), "{argument} is missing in:\n{all}");
        }
    }
}
