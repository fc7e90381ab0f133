//! The sandbox against the real programs.

mod lifetime;
mod postgres;
mod process;
mod sqs;
