//! What the store promises, shown against a real PostgreSQL: who is who, what is merged and what is
//! kept, that stale leases write nothing, and what it costs.

mod activities;
mod arbitrary;
mod atomicity;
mod cleaning;
mod constraints;
mod costs;
mod counting;
mod credentials;
mod crowds;
mod endings;
mod fencing;
mod gate;
mod ground;
mod members;
mod merging;
mod parents;
mod plans;
mod races;
mod records;
mod requests;
mod run_lists;
mod schema;
mod sends;
mod statements;
mod telling_more;
mod ticks;
mod waking;
mod watching;
