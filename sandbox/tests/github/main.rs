//! The simulated GitHub, asked over HTTP as an integration would ask it.

mod client;
mod credentials;
mod limits;
mod lists;
mod queries;
mod world;
