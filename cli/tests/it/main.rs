//! The tool as its users have it: the built binary, run against a database of its own.
//!
//! Where a run must make progress, the test does what a worker would do, through the store.

mod connect;
mod continue_run;
mod credentials;
mod dead_letters;
mod discover;
mod help;
mod integrations;
mod migrate;
mod millrace;
mod posted;
mod process_integration;
mod process_stream;
mod run;
mod runs;
mod story;
mod tenants;
