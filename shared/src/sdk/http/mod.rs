//! The one way out to a platform.
//!
//! An [`ApiClient`] speaks to one host, says every refusal in the engine's words ([`SyncError`]) and
//! decodes answers straight into the author's types:
//!
//! ```no_run
//! # use std::time::Duration;
//! # use shared::sdk::{Access, CountedBy, RequestLimit, Result, http::ApiClient};
//! # #[derive(serde::Deserialize)] struct Comment {}
//! const LIMIT: RequestLimit =
//!     RequestLimit::new("all requests", 3, Duration::from_secs(1), CountedBy::Application);
//!
//! # async fn comments(api: &ApiClient, access: &Access, article: u64) -> Result<Vec<Comment>> {
//! let request = api.get("api/comments").query("a_id", article).by(access).under(&LIMIT);
//! Ok(request.json().await?.body)
//! # }
//! ```
//!
//! | the platform … | is |
//! |---|---|
//! | 401; a success that is none ([`Options::refuses_credential`]) | `Unauthorized`, once a renewal did not help |
//! | 429; 403 or 503 that is a limit ([`rate_limit`](super::rate_limit)) | `RateLimited` |
//! | 403 that is no limit | `Permanent`: one thing is closed to us, and the others may be open |
//! | 404, 410 | `Permanent`, or `None` where the author asks by [`Request::json_or_none`] |
//! | 408, 425, 5xx, a redirect in a circle | `Other` |
//! | any other 4xx, an answer above the limit of bytes | `Permanent` |
//! | truncated, undecodable, of another content type, silent, slow | `Other` |
//! | sends us to another host, by a redirect | `Permanent` if for good (301, 308), `Other` if for now |
//! | sends us to another host, by a next-page link | `Permanent` |
//!
//! Nothing is asked twice here but a connection that was lost before it answered; whoever wants more
//! patience has it from the stream's own retries. No error contains a query or a token, nor of a body
//! more than the platform's own words for a refusal ([`Refused`]).

mod answer;
mod attempt;
mod counting;
mod origin;
mod refusal;
mod request;
#[cfg(test)]
mod tests;
mod words;

use std::time::Duration;

use anyhow::Context;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder, Method};
use url::Url;

pub use answer::Answer;
pub use counting::counting_requests;
pub use refusal::Refused;
pub use request::Request;
pub use words::quoted;

use crate::clock::Clock;
use crate::sdk::SyncError;

/// A client of one platform's API. Cheap to clone; its clones share their connections.
#[derive(Clone, Debug)]
pub struct ApiClient {
    kind: &'static str,
    base: Url,
    http: Client,
    total_timeout: Duration,
    body_limit: usize,
    scheme: &'static str,
    refuses_credential: fn(&[u8]) -> bool,
    clock: Clock,
}

/// What may differ between platforms, or between a test and production.
#[derive(Clone, Debug)]
pub struct Options {
    /// Until there is a connection, TLS included.
    pub connect_timeout: Duration,
    /// Between two pieces of an answer.
    pub idle_timeout: Duration,
    /// From the first attempt to the answer's last byte: what ends a server that sends one byte a second.
    pub total_timeout: Duration,
    /// Bytes of an answer, counted after decompression.
    pub body_limit: usize,
    /// How a tenant's credential is said: `Bearer`, Discord's `Bot`.
    pub scheme: &'static str,
    /// Sent with every request.
    pub headers: &'static [(&'static str, &'static str)],
    /// Whether the body of an answer of status 200 says what others say by a 401. Then, too, a
    /// credential that can be renewed is, and the request sent once more.
    pub refuses_credential: fn(&[u8]) -> bool,
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(60),
            body_limit: 32 * 1024 * 1024,
            scheme: "Bearer",
            headers: &[],
            refuses_credential: |_| false,
            clock: Clock::System,
        }
    }
}

impl ApiClient {
    /// A client for the paths below `base_url`, such as `https://discord.com/api/v10`. `kind` is the
    /// integration's, for the metrics.
    pub fn new(kind: &'static str, base_url: impl AsRef<str>) -> anyhow::Result<Self> {
        Self::with(kind, base_url, Options::default())
    }

    pub fn with(
        kind: &'static str,
        base_url: impl AsRef<str>,
        options: Options,
    ) -> anyhow::Result<Self> {
        let base = origin::base_url(base_url.as_ref())?;
        let http = http_client(kind, &base, &options)
            .with_context(|| format!("building the HTTP client of {kind}"))?;
        let Options { total_timeout, body_limit, scheme, refuses_credential, clock, .. } = options;
        Ok(Self { kind, base, http, total_timeout, body_limit, scheme, refuses_credential, clock })
    }

    /// The path is relative to the base URL. What a tenant typed goes in by [`Request::segment`] or
    /// [`Request::query`], which keep it in its place.
    pub fn get(&self, path: &str) -> Request<'_> {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Request<'_> {
        self.request(Method::POST, path)
    }

    /// Gets what a next-page link of the platform names, if that is on the platform's own host.
    pub fn follow(&self, link: &str) -> Request<'_> {
        match origin::own(&self.base, link) {
            Ok(url) => Request::new(self, Method::GET, url),
            Err(foreign) => self.get("").refused(SyncError::Permanent(foreign)),
        }
    }

    fn request(&self, method: Method, path: &str) -> Request<'_> {
        let request = Request::new(self, method, self.base.clone());
        if path.contains(['?', '#']) {
            let problem = anyhow::anyhow!("a path has no query; that goes in by `query`");
            return request.refused(SyncError::Permanent(problem));
        }
        path.split('/').filter(|segment| !segment.is_empty()).fold(request, Request::segment)
    }
}

fn http_client(kind: &'static str, base: &Url, options: &Options) -> anyhow::Result<Client> {
    install_tls();
    let client = Client::builder()
        .user_agent(concat!("millrace/", env!("CARGO_PKG_VERSION")))
        .default_headers(default_headers(options.headers)?)
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.idle_timeout)
        .redirect(origin::redirects(kind, base))
        .referer(false);
    Ok(past_the_proxy(client, base).build()?)
}

/// What the environment says of proxies is for the world outside; a simulated platform on this
/// machine is never behind one.
fn past_the_proxy(client: ClientBuilder, base: &Url) -> ClientBuilder {
    if origin::is_loopback(base) { client.no_proxy() } else { client }
}

fn default_headers(extra: &[(&'static str, &'static str)]) -> anyhow::Result<HeaderMap> {
    let mut headers =
        HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    for (name, value) in extra {
        let (name, value) = request::header_line(name, value)?;
        headers.insert(name, value);
    }
    Ok(headers)
}

/// reqwest takes the process's provider. An error says only that there is one already, which is as
/// good.
pub(super) fn install_tls() {
    rustls::crypto::ring::default_provider().install_default().ok();
}
