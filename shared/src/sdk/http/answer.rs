//! An answer: read within bounds, decoded straight into the author's type.

use std::time::Duration;

use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Response, StatusCode};
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::ApiClient;
use super::request::Line;
use super::words::Words;
use crate::sdk::{Result, Said, SyncError, rate_limit};

/// What a platform answered, decoded.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    pub body: T,
    wait_if_limited: Duration,
}

impl<T> Answer<T> {
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        let Self { body, wait_if_limited } = self;
        Answer { body: change(body), wait_if_limited }
    }

    /// The error for an answer that says in its body that it is none, as GraphQL's `RATE_LIMITED`
    /// and Slack's `ratelimited` do under status 200. The wait is read from the headers.
    pub fn rate_limited(&self) -> SyncError {
        SyncError::RateLimited { retry_after: self.wait_if_limited }
    }
}

/// An answer of whatever status, before anybody has judged it.
pub(super) struct Received {
    pub(super) line: Line,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) at: DateTime<Utc>,
    /// Of a refusal.
    pub(super) words: Words,
}

/// Of a refusal only the beginning is read: to see whether it speaks of a limit, and so that the
/// connection can serve again.
const REFUSAL_LIMIT: usize = 64 * 1024;

impl Received {
    pub(super) async fn read(response: Response, line: Line, client: &ApiClient) -> Result<Self> {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = if status.is_success() {
            whole_body(response, client.body_limit, &line).await?
        } else {
            beginning(response, REFUSAL_LIMIT).await
        };
        let at = client.clock.now();
        Ok(Self { line, status, headers, body, at, words: Words::default() })
    }

    pub(super) fn note_words(&mut self, secrets: &[SecretString]) {
        if !self.status.is_success() {
            self.words = Words::of(&self.body, secrets);
        }
    }

    pub(super) fn said_of_limits(&self) -> Said {
        rate_limit::said(self.status, &self.headers, &self.body, self.at)
    }

    /// Discord marks a refusal by its limit over all requests, beside those for each route.
    pub(super) fn speaks_of_all_requests(&self) -> bool {
        self.headers.contains_key("x-ratelimit-global")
    }

    pub(super) fn decode<T: DeserializeOwned>(self) -> Result<Answer<T>> {
        self.check_content_type()?;
        let body = serde_json::from_slice(&self.body)
            .map_err(|error| anyhow!("{}: {}", self.line, undecodable::<T>(&self.body, &error)))?;
        Ok(self.answer(body))
    }

    pub(super) fn answer<T>(&self, body: T) -> Answer<T> {
        Answer { body, wait_if_limited: rate_limit::wait_until_welcome(&self.headers, self.at) }
    }

    /// Otherwise a login page or a proxy's apology would be reported as JSON with a mistake in it.
    fn check_content_type(&self) -> Result<()> {
        let Some(content_type) = self.headers.get(CONTENT_TYPE) else {
            return Ok(());
        };
        let content_type = String::from_utf8_lossy(content_type.as_bytes()).to_lowercase();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence == "application/json" || essence == "text/json" || essence.ends_with("+json") {
            return Ok(());
        }
        Err(anyhow!("{}: answered {essence:?} where JSON was expected", self.line).into())
    }
}

/// Bounded while it is read, and after decompression, so that neither a page without end nor a
/// gzip bomb costs more memory than the limit.
async fn whole_body(mut response: Response, limit: usize, line: &Line) -> Result<Vec<u8>> {
    let too_long = || SyncError::Permanent(anyhow!("{line}: the answer is above {limit} bytes"));
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    while let Some(chunk) = next_chunk(&mut response, line).await? {
        if body.len() + chunk.as_ref().len() > limit {
            return Err(too_long());
        }
        body.extend_from_slice(chunk.as_ref());
    }
    Ok(body)
}

async fn next_chunk(response: &mut Response, line: &Line) -> Result<Option<impl AsRef<[u8]>>> {
    let chunk = response.chunk().await.map_err(reqwest::Error::without_url);
    Ok(chunk.with_context(|| format!("{line}: the answer broke off"))?)
}

async fn beginning(mut response: Response, limit: usize) -> Vec<u8> {
    let mut body = Vec::new();
    // A refusal that breaks off is still a refusal.
    while body.len() < limit
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]);
    }
    body
}

/// Says where and of which type, never what stands there: values are people's data. The field's
/// path is learnt by decoding once more, which only failures pay for.
fn undecodable<T: DeserializeOwned>(body: &[u8], error: &serde_json::Error) -> String {
    let mut decoder = serde_json::Deserializer::from_slice(body);
    let field = serde_path_to_error::deserialize::<_, T>(&mut decoder)
        .map_or_else(|error| error.path().to_string(), |_| ".".to_owned());
    let (line, column) = (error.line(), error.column());
    format!("{} at `{field}`, line {line} column {column}", problem(error))
}

fn problem(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Eof => "the JSON is cut off".to_owned(),
        Category::Syntax | Category::Io => "the answer is not JSON".to_owned(),
        Category::Data => unexpected(&error.to_string()),
    }
}

/// serde quotes the value it met before it says what it expected; of its sentence only what comes
/// from the author's type is kept.
fn unexpected(sentence: &str) -> String {
    let without_position = sentence.rsplit_once(" at line ").map_or(sentence, |(said, _)| said);
    if without_position.starts_with("missing field `") {
        return without_position.to_owned();
    }
    match without_position.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => "a value of another form".to_owned(),
    }
}
