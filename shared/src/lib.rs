//! What both services of Millrace know.
//!
//! The arrows between the modules: `integrations → sdk → domain ← store`, `queue → message → domain`.
//! `domain` does no I/O; all SQL is in `store`; `sdk` knows neither the store nor the queue.
//! `keyring` seals, `vault` has the tenants' credentials in the open while they are used.
//! `ledger` counts requests, `outbox` sends what the store says is due, `explain` says why a run moves
//! or does not.

pub mod admin;
pub mod clock;
pub mod config;
pub mod domain;
pub mod explain;
pub mod integrations;
pub mod keyring;
pub mod ledger;
pub mod message;
pub mod outbox;
pub mod queue;
pub mod sdk;
pub mod service;
pub mod store;
pub mod telemetry;
pub mod vault;
pub mod verify;

#[cfg(doctest)]
#[doc = include_str!("../../docs/writing-an-integration.md")]
mod writing_an_integration {}
