//! Makes work: ticks, the checks they start, the sweep that re-sends what was lost, and the HTTP API.
//!
//! Any number of generators may run; one at a time holds the scheduler lease. `tick` is the beat,
//! `checks` decides who is due, `redeliver` sends what is due. Each of the three is harmless when
//! done twice, so two generators that both believe to lead do no harm.

mod checks;
mod redeliver;
mod tick;

use std::sync::Arc;
use std::time::Duration;

use shared::queue::Queue;
use shared::sdk::Registry;
use shared::store::Store;

pub use tick::tick;

/// What everything in a generator needs.
#[derive(Clone)]
pub struct Generator {
    pub store: Store,
    pub queue: Arc<dyn Queue>,
    pub registry: Registry,
    pub settings: Settings,
}

/// Lengths. The defaults are what production runs with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who we are, for people: host and process.
    pub holder: String,
    /// How long a tick is: `TICK_SECONDS`.
    pub tick: Duration,
    /// How often we look whether a tick has begun and whether a message is due.
    pub beat: Duration,
    /// How long the scheduler lease lasts without being extended; extended at every beat.
    pub lease: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            holder: format!("generator-{}", std::process::id()),
            tick: Duration::from_secs(60),
            beat: Duration::from_secs(1),
            lease: Duration::from_secs(10),
        }
    }
}
