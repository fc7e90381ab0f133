//! How many requests went out: for the metrics by outcome, and for the engine by step.

use std::cell::Cell;

use metrics::counter;
use reqwest::{Response, StatusCode};

tokio::task_local! {
    static REQUESTS: Cell<u64>;
}

/// Runs the future and counts the requests it sends, attempts and redirects included. What it
/// spawns onto other tasks is not counted.
pub async fn counting_requests<F: Future>(future: F) -> (F::Output, u64) {
    let counted = async { (future.await, REQUESTS.with(Cell::get)) };
    REQUESTS.scope(Cell::new(0), counted).await
}

pub(super) fn sent() {
    // Outside of `counting_requests` nobody asks.
    REQUESTS.try_with(|count| count.set(count.get() + 1)).ok();
}

pub(super) fn answered(kind: &'static str, outcome: Result<&Response, &reqwest::Error>) {
    let status = match outcome {
        Ok(response) => class(response.status()),
        Err(error) if error.is_redirect() => "3xx",
        Err(_) => "error",
    };
    counter!("provider_requests_total", "kind" => kind, "status" => status).increment(1);
}

/// A redirect about to be followed: one answer, and one request more.
pub(super) fn redirected(kind: &'static str) {
    counter!("provider_requests_total", "kind" => kind, "status" => "3xx").increment(1);
    sent();
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
