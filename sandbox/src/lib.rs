//! What Millrace stands on when nothing else is there.
//!
//! A newcomer, a test and a benchmark all need a PostgreSQL, and some need an SQS and a platform to
//! talk to. This crate starts them as private child processes on loopback ports of their own, so that
//! any number of clones and test runs work side by side, and sees to it that none outlives its owner.
//! It knows nothing of Millrace: no schema, no messages.
//!
//! The simulated platforms ([`devto`], [`discord`], [`github`], [`slack`], [`twitter`]) have one shape.
//! Whoever adds one begins at [`platform`].
//!
//! The services themselves never depend on it; `millrace dev`, `millrace demo` and the tests do. Its
//! binary, `sandbox with-services -- <command>`, lends the same things to any other program.

pub mod devto;
pub mod discord;
pub mod github;
pub mod platform;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod slack;
pub mod sqs;
pub mod tools;
pub mod twitter;
