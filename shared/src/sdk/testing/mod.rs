//! How an integration is tested: no database, no queue, no waiting.
//!
//! A [`Rehearsal`] is one run in memory, through the same doors as the engine goes, against a fake
//! of the platform. Its trace is text, made for an inline snapshot. An [`Examination`] asks of every
//! integration the same questions, on a platform that misbehaves. Both are shown in
//! `docs/writing-an-integration.md`.
//!
//! Always compiled, rather than behind a feature: it needs nothing that the crate has not, programs
//! do not link what they do not call, and a feature would have the crate built twice.

mod connection;
mod examination;
mod front;
mod questions;
mod rehearsal;
mod rows;
#[cfg(test)]
mod tests;

pub use examination::Examination;
pub use rehearsal::{Ending, Rehearsal, Rehearsed};
