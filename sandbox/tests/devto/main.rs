//! The simulated dev.to, asked over HTTP as an integration would ask it.

mod client;
mod comments;
mod faults;
mod growth;
mod limits;
mod pages;
mod people;
mod serving;
mod shapes;
