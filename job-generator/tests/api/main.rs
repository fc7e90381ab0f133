//! The HTTP API, asked as a client asks it, on a database of each test's own.

mod connecting;
mod credentials;
mod discovering;
mod explaining;
mod integrations;
mod openapi;
mod pages;
mod refusals;
mod requests;
mod running;
mod sending_twice;
mod service;
mod toy;
