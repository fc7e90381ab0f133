//! What every fault needs: a stage, processes on it, and the truth to hold the outcome against.

pub(crate) mod audit;
mod chance;
mod credentials;
mod hints;
mod platforms;
mod process;
mod stage;
mod truth;
mod until;

pub(crate) use chance::chance;
pub(crate) use credentials::MASTER_KEYS;
pub(crate) use hints::sqs_emulator;
pub(crate) use process::{Launch, Service, http};
pub(crate) use stage::{Connected, Stage};
pub(crate) use until::{Stopwatch, pause, until};
