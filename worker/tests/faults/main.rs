//! Faults: the two services as processes of their own, and what becomes of the work when they are
//! killed, stopped and cut off from what they need.
//!
//! Everything is real: PostgreSQL, the binaries, the signals, the simulated platforms on loopback. Each
//! test has a database, platforms and processes of its own, with short leases. When its fault is over
//! it checks what is stored against the platforms' truth ([`Stage::check`](harness::Stage::check)).
//!
//! Most have dev.to alone, where every request is a page and can be counted. Those on a mix have all
//! six platforms connected at once, with the limits of the real ones, with tokens on X that last for
//! seconds, and with people who go on writing.
//!
//! `make test` runs them. By hand: `cargo build --workspace`, then
//! `target/debug/sandbox with-services -- cargo nextest run -p worker --test faults`.

mod absence;
mod database;
mod generators;
mod harness;
mod kills;
mod leaks;
mod messages;
mod platform;
mod renewals;
mod sqs;
mod starting;
mod stopping;
