//! Why a page could not be had, in the words the engine decides by.

use std::fmt::Display;
use std::time::Duration;

use super::http::Refused;

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

impl SyncError {
    /// The platform's answer, where it refused by status.
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Unauthorized(error) | Self::Permanent(error) | Self::Other(error) => {
                error.downcast_ref()
            }
            Self::RateLimited { .. } | Self::OverQuota { .. } => None,
        }
    }

    /// The same, with what it means to whoever reads it, before the platform's own words.
    #[must_use]
    pub fn meaning(self, sentence: impl Display + Send + Sync + 'static) -> Self {
        match self {
            Self::Unauthorized(error) => Self::Unauthorized(error.context(sentence)),
            Self::Permanent(error) => Self::Permanent(error.context(sentence)),
            Self::Other(error) => Self::Other(error.context(sentence)),
            not_now => not_now,
        }
    }
}
