//! Why a page could not be had, in the words the engine decides by.

use std::time::Duration;

pub type Result<T, E = SyncError> = std::result::Result<T, E>;

/// The outcomes besides success: not now (twice) · never, for the whole run · never, for this stream ·
/// again.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The platform asked us to come back later. Costs no attempt.
    #[error("rate limited, retry after {retry_after:?}")]
    RateLimited { retry_after: Duration },
    /// The request would be above a limit that is counted by us; `class` says which. Its turn is
    /// expected then. Costs no attempt.
    #[error("`{class}` waits for its share of the limit, for {retry_after:?}")]
    OverQuota { class: String, retry_after: Duration },
    /// No retry helps until the tenant reconnects.
    #[error("the platform rejected our credentials")]
    Unauthorized(#[source] anyhow::Error),
    /// No retry helps this stream: what it names is not there, or can never be read.
    #[error(transparent)]
    Permanent(anyhow::Error),
    /// Retried with back-off; after five attempts the stream is marked failed.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}
