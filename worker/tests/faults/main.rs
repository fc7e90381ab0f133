//! Faults: the two services as processes of their own, and what becomes of the work when they are
//! killed, stopped and cut off from what they need.
//!
//! Everything is real: PostgreSQL, the binaries, the signals, the simulated dev.to on loopback. Each
//! test has a database, a dev.to and processes of its own, with short leases. When its fault is over
//! it checks what is stored against the community's truth ([`Stage::check`](harness::Stage::check)).
//!
//! `make test` runs them. By hand: `cargo build --workspace`, then
//! `target/debug/sandbox with-services -- cargo nextest run -p worker --test faults`.

mod absence;
mod database;
mod generators;
mod harness;
mod kills;
mod messages;
mod platform;
mod sqs;
mod starting;
mod stopping;
