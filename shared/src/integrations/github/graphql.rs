//! What a GraphQL answer says besides what was asked: its cost, and what went wrong.
//!
//! GitHub answers 200 to almost everything, with `errors` beside as much of `data` as it has:
//!
//! | `type` of an error | is |
//! |---|---|
//! | `RATE_LIMITED`, `RATE_LIMIT`, or a sentence about a secondary rate limit | `RateLimited` |
//! | `INSUFFICIENT_SCOPES` | `Permanent`, in GitHub's words: this list takes a scope that the token has not |
//! | `NOT_FOUND`, `FORBIDDEN` | withheld: what it is about is null, and the rest is taken |
//! | `RESOURCE_LIMITS_EXCEEDED`, a time-out | `Other`, with [`TooMuch`] inside: less may be asked for |
//! | anything else, such as a resolver that failed | `Other`: half a page is never taken for a whole one |

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::sdk::http::{Answer, quoted};
use crate::sdk::{Result, Said, SyncError};

/// Every query calls what it asks for its subject.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<T> {
    data: Option<Content<T>>,
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Debug, Deserialize)]
struct Content<T> {
    #[serde(rename = "rateLimit")]
    rate_limit: Option<RateLimit>,
    subject: Option<T>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RateLimit {
    limit: u32,
    remaining: u32,
    reset_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    #[serde(rename = "type")]
    kind: Option<String>,
    message: String,
    #[serde(default)]
    path: Vec<Value>,
}

/// The page was more than GitHub would work for.
#[derive(Debug, thiserror::Error)]
#[error("GitHub could not answer so much at once: {0}")]
pub(super) struct TooMuch(String);

/// What was asked for, and what GitHub keeps from us of it.
#[derive(Debug)]
pub(super) struct Reply<T> {
    pub(super) subject: Option<T>,
    withheld: Vec<Problem>,
}

impl<T> Envelope<T> {
    pub(super) fn said(&self, now: DateTime<Utc>) -> Option<Said> {
        let RateLimit { limit, remaining, reset_at } = self.data.as_ref()?.rate_limit.as_ref()?;
        Some(Said {
            allowed: Some(*limit),
            remaining: Some(*remaining),
            resets_in: (*reset_at - now).to_std().ok(),
            refused_for: None,
        })
    }
}

impl<T> Reply<T> {
    pub(super) fn of(answer: Answer<Envelope<T>>) -> Result<Self> {
        for problem in &answer.body.errors {
            problem.judge(&answer)?;
        }
        let Envelope { data, errors } = answer.body;
        if data.is_none() && errors.is_empty() {
            return Err(anyhow!("GitHub answered with neither data nor errors").into());
        }
        let subject = data.and_then(|content| content.subject);
        Ok(Self { subject, withheld: errors })
    }

    /// Why something is not there, as far as GitHub says so.
    pub(super) fn why(&self) -> String {
        match self.withheld.first() {
            Some(problem) => problem.sentence(),
            None => "GitHub does not say why".to_owned(),
        }
    }

    /// Whether it is not there any more.
    pub(super) fn is_gone(&self) -> bool {
        let not_found = |problem: &Problem| problem.kind.as_deref() == Some("NOT_FOUND");
        self.subject.is_none() && self.withheld.iter().any(not_found)
    }

    /// The fields on the way to what we may not see, as the query calls them.
    pub(super) fn forbidden(&self) -> impl Iterator<Item = &str> {
        let forbidden = |problem: &&Problem| problem.kind.as_deref() == Some("FORBIDDEN");
        self.withheld.iter().filter(forbidden).flat_map(|it| &it.path).filter_map(Value::as_str)
    }

    /// For what must be there: no retry shows what is withheld.
    pub(super) fn whole(self, what: impl std::fmt::Display) -> Result<T> {
        let why = self.why();
        self.subject.ok_or_else(|| SyncError::Permanent(anyhow!("GitHub shows no {what}: {why}")))
    }
}

impl Problem {
    /// Nothing, if it is about something that is withheld from us.
    fn judge<T>(&self, answer: &Answer<T>) -> Result<()> {
        let kind = self.kind.as_deref().unwrap_or_default();
        match kind {
            "NOT_FOUND" | "FORBIDDEN" => Ok(()),
            "RATE_LIMITED" | "RATE_LIMIT" => Err(answer.rate_limited()),
            _ if self.message.contains("secondary rate limit") => Err(answer.rate_limited()),
            "INSUFFICIENT_SCOPES" => Err(SyncError::Permanent(anyhow!(self.sentence()))),
            "RESOURCE_LIMITS_EXCEEDED" => Err(self.too_much()),
            // It has no type, and speaks of a time-out as of one possibility.
            _ if self.message.contains("timeout") => Err(self.too_much()),
            _ => Err(anyhow!("GitHub answered with an error: {}", self.sentence()).into()),
        }
    }

    fn too_much(&self) -> SyncError {
        SyncError::Other(TooMuch(self.sentence()).into())
    }

    fn sentence(&self) -> String {
        let path: Vec<_> = self.path.iter().map(|step| step.to_string().replace('"', "")).collect();
        let message = quoted(&self.message);
        match path.is_empty() {
            true => message,
            false => format!("{message} (at {})", path.join(".")),
        }
    }
}

/// Whether less at once might be answered. GitHub gives up after ten seconds, mostly by a 502.
pub(super) fn is_too_much(error: &SyncError) -> bool {
    let refused = error.refused().map(|refused| refused.status);
    matches!(refused, Some(StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT))
        || matches!(error, SyncError::Other(error) if error.is::<TooMuch>())
}
