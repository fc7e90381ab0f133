//! The simulated X, asked over HTTP as an integration would ask it.

mod client;
mod growth;
mod limits;
mod oauth;
mod people;
mod posts;
mod shapes;
