//! Stories of scheduling: a real PostgreSQL, a queue in memory, a clock that is turned by hand, and
//! generators that beat when they are told to.

mod gauges;
mod leaders;
mod schedules;
mod stage;
mod sweep;
mod ticks;
mod toys;
