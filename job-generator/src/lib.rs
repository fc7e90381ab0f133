//! Makes work: ticks, the checks they start, the sweep that re-sends what was lost, and the HTTP API.
//!
//! Any number of generators may run; one at a time holds the scheduler lease. `tick` is the beat,
//! `checks` decides who is due, `redeliver` sends what is due. Each of the three is harmless when
//! done twice, so two generators that both believe to lead do no harm. `api` needs no lease: every
//! generator serves it.

pub mod api;
mod checks;
mod config;
mod generate;
mod redeliver;
mod tick;
mod tick_length;

use std::sync::Arc;

use shared::queue::Queue;
use shared::sdk::Registry;
use shared::store::Store;
use shared::vault::Vault;

pub use checks::start_due;
pub use config::{Args, Config, Settings};
pub use generate::generate;
pub use redeliver::send_due;
pub use tick::{Scheduler, tick};
pub use tick_length::{OtherTicks, agree_on_ticks};

/// What everything in a generator needs.
#[derive(Clone)]
pub struct Generator {
    pub store: Store,
    pub queue: Arc<dyn Queue>,
    pub registry: Registry,
    /// The tenants' credentials.
    pub vault: Vault,
    pub settings: Settings,
}
