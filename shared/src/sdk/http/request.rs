//! One request: put together, sent, and read to its end.

use std::fmt::Display;

use anyhow::{Context, anyhow};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::{Url, form_urlencoded};

use super::ApiClient;
use super::answer::{Answer, Received};
use super::attempt::{self, Within};
use crate::sdk::access::Unlimited;
use crate::sdk::{Access, Credential, Quota, RequestLimit, Result, Spending, SyncError};

/// Sent by [`Request::json`] or [`Request::json_or_none`], and by nothing before.
#[must_use = "a request is sent by `json` or `json_or_none`"]
pub struct Request<'a> {
    client: &'a ApiClient,
    inner: reqwest::Request,
    access: Option<Access>,
    spending: Vec<Spending>,
    repeatable: bool,
    /// What no error may repeat.
    secrets: Vec<SecretString>,
    /// Why it must not be sent.
    refused: Option<SyncError>,
}

impl<'a> Request<'a> {
    pub(super) fn new(client: &'a ApiClient, method: Method, url: Url) -> Self {
        let repeatable = method == Method::GET;
        let inner = reqwest::Request::new(method, url);
        Self {
            client,
            inner,
            access: None,
            spending: Vec::new(),
            repeatable,
            secrets: Vec::new(),
            refused: None,
        }
    }

    /// Sends, and decodes the answer.
    pub async fn json<T: DeserializeOwned>(self) -> Result<Answer<T>> {
        self.send().await?.accept()?.decode()
    }

    /// As [`Request::json`]; a thing that is not there (any more) is `None`.
    pub async fn json_or_none<T: DeserializeOwned>(self) -> Result<Answer<Option<T>>> {
        let received = self.send().await?;
        if received.is_gone() {
            return Ok(received.answer(None));
        }
        Ok(received.accept()?.decode()?.map(Some))
    }

    /// Adds one segment to the path, whatever characters it has.
    pub fn segment(mut self, segment: &str) -> Self {
        if matches!(segment, "" | "." | "..") {
            let problem = anyhow!("{segment:?} names nothing in a path");
            return self.refused(SyncError::Permanent(problem));
        }
        if let Ok(mut path) = self.inner.url_mut().path_segments_mut() {
            path.pop_if_empty().push(segment);
        }
        self
    }

    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.inner.url_mut().query_pairs_mut().append_pair(name, &value.to_string());
        self
    }

    /// For what the first page has not, such as a cursor.
    pub fn query_opt(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// A header that is no secret.
    pub fn header(self, name: &str, value: &str) -> Self {
        match header_line(name, value) {
            Ok((name, value)) => self.with_header(name, value),
            Err(problem) => self.refused(SyncError::Permanent(problem)),
        }
    }

    /// Sent with the tenant's credential, and within the limits named by [`Request::under`]. Should
    /// the platform refuse the credential, it is renewed and the request sent once more.
    pub fn by(mut self, access: &Access) -> Self {
        self.access = Some(access.clone());
        self
    }

    /// The request counts against this limit; it may count against several, the narrowest first.
    pub fn under(self, limit: &RequestLimit) -> Self {
        self.costing(1, limit)
    }

    /// As [`Request::under`], where a request costs so many points of what the limit allows.
    pub fn costing(mut self, cost: u32, limit: &RequestLimit) -> Self {
        self.spending.push(Spending { limit: limit.clone(), cost });
        self
    }

    /// For a secret that is not the tenant's credential itself, such as an application's signature.
    pub fn authorization(mut self, scheme: &str, secret: &SecretString) -> Self {
        self.secrets.push(secret.clone());
        match authorization(scheme, secret) {
            Ok(value) => self.with_header(AUTHORIZATION, value),
            Err(problem) => self.refused(problem),
        }
    }

    /// A JSON body.
    pub fn body(self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body).context("writing the body of the request") {
            Ok(json) => self.with_body("application/json", json),
            Err(problem) => self.refused(SyncError::Permanent(problem)),
        }
    }

    /// A form's body. Forms are for tokens: no error repeats what stands in one.
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let secret = fields.iter().filter(|(name, _)| *name != "grant_type");
        self.secrets.extend(secret.map(|(_, value)| SecretString::from(*value)));
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.with_body("application/x-www-form-urlencoded", form.into_bytes())
    }

    /// Asking twice is harmless, as it is for a GraphQL query: a connection reset before the answer
    /// is tried again. True of every GET without saying so; never say it of a token's refresh.
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Keeps the first reason.
    pub(super) fn refused(mut self, reason: SyncError) -> Self {
        self.refused.get_or_insert(reason);
        self
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.inner.headers_mut().insert(name, value);
        self
    }

    fn with_body(mut self, content_type: &'static str, body: Vec<u8>) -> Self {
        *self.inner.body_mut() = Some(body.into());
        self.with_header(CONTENT_TYPE, HeaderValue::from_static(content_type))
    }

    async fn send(mut self) -> Result<Received> {
        if let Some(reason) = self.refused.take() {
            return Err(reason);
        }
        match self.access.take() {
            Some(access) => self.send_by(&access).await,
            None => self.send_counted_by(&Unlimited).await,
        }
    }

    async fn send_by(mut self, access: &Access) -> Result<Received> {
        let Some(credential) = access.keys().current().await? else {
            return self.send_within(access).await;
        };
        self.carry(&credential)?;
        let received = self.send_within(access).await?;
        if !credential.is_renewable() || !self.is_refusal_of_credential(&received) {
            return Ok(received);
        }
        let renewed = access.keys().renewed(&credential).await?;
        self.carry(&renewed)?;
        let received = self.send_within(access).await?;
        let had_ended = renewed.expires_at().is_some_and(|end| end <= received.at);
        if had_ended && self.is_refusal_of_credential(&received) {
            let line = received.line;
            return Err(
                anyhow!("{line}: the renewed token had ended before it was looked at").into()
            );
        }
        Ok(received)
    }

    fn is_refusal_of_credential(&self, received: &Received) -> bool {
        let says_so = self.client.refuses_credential;
        received.status == StatusCode::UNAUTHORIZED
            || received.status.is_success() && says_so(&received.body)
    }

    fn carry(&mut self, credential: &Credential) -> Result<()> {
        let Some(token) = credential.token() else {
            return Err(SyncError::Unauthorized(anyhow!("the credential has no token")));
        };
        let value = authorization(self.client.scheme, token)?;
        self.inner.headers_mut().insert(AUTHORIZATION, value);
        self.secrets.push(token.clone());
        Ok(())
    }

    /// Within the limits, and taking note of what the platform says of them.
    async fn send_within(&self, access: &Access) -> Result<Received> {
        let received = self.send_counted_by(access.quota()).await?;
        if self.spending.is_empty() {
            return Ok(received);
        }
        access.quota().heed(self.limit_spoken_of(&received), received.said_of_limits()).await;
        access.quota().answered(&self.spending).await;
        Ok(received)
    }

    /// Several limits, and headers that speak of one: the first that was named, unless they say that
    /// it is the one over all requests, which is named last. There is one at least.
    fn limit_spoken_of(&self, received: &Received) -> &RequestLimit {
        let at = if received.speaks_of_all_requests() { self.spending.len() - 1 } else { 0 };
        &self.spending[at].limit
    }

    async fn send_counted_by(&self, quota: &dyn Quota) -> Result<Received> {
        let within = Within { quota, spending: &self.spending };
        let line = Line::of(&self.inner);
        let deadline = Instant::now() + self.client.total_timeout;
        let first =
            attempt::first_answer(self.client, &self.inner, self.repeatable, deadline, &within);
        let (response, _spent) = first.await.map_err(|error| attempt::failure(&line, error))?;
        let mut received = Received::read(response, line, self.client).await?;
        received.note_words(&self.secrets);
        Ok(received)
    }
}

fn authorization(scheme: &str, secret: &SecretString) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {}", secret.expose_secret()))
        .map_err(|_| {
            SyncError::Unauthorized(anyhow!("the credential has characters that fit no header"))
        })?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn header_line(name: &str, value: &str) -> anyhow::Result<(HeaderName, HeaderValue)> {
    let key = HeaderName::try_from(name).with_context(|| format!("{name:?} names no header"))?;
    let value = HeaderValue::try_from(value)
        .with_context(|| format!("the value of `{name}` fits no header"))?;
    Ok((key, value))
}

/// What an error may say of a request: queries may hold secrets.
#[derive(Clone, Debug)]
pub(super) struct Line {
    method: Method,
    path: String,
}

impl Line {
    fn of(request: &reqwest::Request) -> Self {
        Self { method: request.method().clone(), path: request.url().path().to_owned() }
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}
