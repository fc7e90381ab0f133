//! What a status means to the engine.

use std::fmt::{self, Display};

use reqwest::StatusCode;

use super::answer::Received;
use super::words::Words;
use crate::sdk::{Result, SyncError, rate_limit};

/// A status that is no success, and the platform's own words for it. To be found inside a
/// [`SyncError`] by whoever must tell one refusal from another ([`SyncError::refused`]).
#[derive(Debug)]
pub struct Refused {
    pub status: StatusCode,
    words: Words,
    request: String,
}

impl std::error::Error for Refused {}

impl Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, words, request } = self;
        write!(f, "{request}: answered {status}")?;
        let said = words.to_string();
        let says_more = !status.canonical_reason().unwrap_or("").eq_ignore_ascii_case(&said);
        if said.is_empty() || !says_more { Ok(()) } else { write!(f, ": {said}") }
    }
}

impl Refused {
    /// The platform's own code for it, such as `invalid_grant`.
    pub fn code(&self) -> Option<&str> {
        self.words.code.as_deref()
    }
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
        let (request, words) = (self.line.to_string(), self.words.clone());
        let refused = Refused { status: *status, words, request }.into();
        match status.as_u16() {
            401 => SyncError::Unauthorized(refused),
            // The server gave up waiting, or will not risk an early request: said of now.
            408 | 425 => SyncError::Other(refused),
            400..=499 => SyncError::Permanent(refused),
            _ => SyncError::Other(refused),
        }
    }
}
