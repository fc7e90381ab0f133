//! The simulated Slack, asked as Slack is asked.

mod client;
mod description;
mod growth;
mod limits;
mod pages;
mod refusals;
