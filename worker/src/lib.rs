//! Does work: takes a message, claims its run, steps the run's streams, commits each page.
//!
//! The path of a message: `consume` receives it, `dispatch` decides what it asks for, `run` claims
//! the run and tells its story, `run::begin` prepares it, `run::step` fetches and commits pages.

mod config;
mod consume;
mod discover;
mod dispatch;
mod run;
mod shutdown;

use std::sync::Arc;

use shared::ledger::Ledger;
use shared::queue::Queue;
use shared::sdk::Registry;
use shared::store::Store;
use shared::vault::Vault;

pub use config::{Args, Config, Settings};
pub use consume::consume;
pub use dispatch::{Dispatched, dispatch};
pub use shutdown::Shutdown;

/// What everything in a worker needs.
pub struct Worker {
    pub store: Store,
    pub queue: Arc<dyn Queue>,
    pub registry: Registry,
    /// The tenants' credentials.
    pub vault: Vault,
    /// What counts their requests.
    pub ledger: Ledger,
    pub settings: Settings,
}
