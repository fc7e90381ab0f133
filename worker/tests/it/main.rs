//! Stories of the engine: a real PostgreSQL, a queue in memory, a clock that is turned by hand.

mod consuming;
mod counts;
mod credentials;
mod deaths;
mod desk;
mod discoveries;
mod failures;
mod hands;
mod leaks;
mod leases;
mod limits;
mod log;
mod messages;
mod platform;
mod runs;
mod simulation;
mod stage;
mod storing;
mod toy;
