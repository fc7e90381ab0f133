//! Calling an integration outside of any stream or for one: its requests are counted, a panic of it
//! is a failure of it, and it is dropped when what is under way must be let go of.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use anyhow::anyhow;
use futures_util::FutureExt;
use shared::sdk::http::counting_requests;
use shared::sdk::{Result as SdkResult, SyncError};
use tokio_util::sync::CancellationToken;

/// What the integration answered, and how many requests that took; `None` if it was let go of, which
/// costs nobody an attempt.
pub(crate) async fn call<T>(
    let_go: &CancellationToken,
    call: impl Future<Output = SdkResult<T>>,
) -> Option<(SdkResult<T>, u64)> {
    // What a panic may have left half-done is dropped with the call.
    let caught = AssertUnwindSafe(call).catch_unwind();
    tokio::select! {
        () = let_go.cancelled() => None,
        (answer, requests) = counting_requests(caught) => {
            Some((answer.unwrap_or_else(|panic| Err(failure(&*panic))), requests))
        }
    }
}

/// It is the integration's mistake: tried again like any other, and given up in the end.
fn failure(panic: &(dyn Any + Send)) -> SyncError {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    SyncError::Other(anyhow!("the integration panicked: {text}"))
}
