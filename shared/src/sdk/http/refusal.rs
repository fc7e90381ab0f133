//! What a status means to the engine.

use reqwest::StatusCode;

use super::answer::Received;
use crate::sdk::{Result, SyncError, rate_limit};

/// A status that is no success. To be found inside a [`SyncError`] by whoever must tell one refusal
/// from another.
#[derive(Debug, thiserror::Error)]
#[error("{request}: answered {status}")]
pub struct Refused {
    pub status: StatusCode,
    request: String,
}

impl Received {
    pub(super) fn accept(self) -> Result<Self> {
        if self.status.is_success() { Ok(self) } else { Err(self.refusal()) }
    }

    pub(super) fn is_gone(&self) -> bool {
        matches!(self.status, StatusCode::NOT_FOUND | StatusCode::GONE)
    }

    fn refusal(&self) -> SyncError {
        let Self { status, headers, body, at, .. } = self;
        if let Some(retry_after) = rate_limit::wait_after_refusal(*status, headers, body, *at) {
            return SyncError::RateLimited { retry_after };
        }
        let refused = Refused { status: *status, request: self.line.to_string() }.into();
        match status.as_u16() {
            403 if self.forbidden_is_permanent => SyncError::Permanent(refused),
            401 | 403 => SyncError::Unauthorized(refused),
            // The server gave up waiting, or will not risk an early request: said of now.
            408 | 425 => SyncError::Other(refused),
            400..=499 => SyncError::Permanent(refused),
            _ => SyncError::Other(refused),
        }
    }
}
