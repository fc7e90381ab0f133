//! How a worker works, read once.

use std::time::Duration;

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
            holder: format!("worker-{}", std::process::id()),
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
