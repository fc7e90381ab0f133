//! The simulated Discord, asked over HTTP as an integration would ask it. That its answers are as
//! Discord describes them is seen where they are read, beside the integration.

mod client;
mod growth;
mod limits;
mod pages;
mod refusals;
