//! Stories of the engine: a real PostgreSQL, a queue in memory, a clock that is turned by hand.

mod consuming;
mod failures;
mod hands;
mod leases;
mod limits;
mod messages;
mod runs;
mod simulation;
mod stage;
mod toy;
