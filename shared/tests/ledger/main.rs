//! The quota ledger over one PostgreSQL, as several workers use it.

mod crowd;
mod devto;
mod provider;
mod turns;
mod workers;
