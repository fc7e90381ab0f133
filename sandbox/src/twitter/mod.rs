//! An X (formerly Twitter) that runs in this process, for the demonstration and the tests.
//!
//! It answers the endpoints of API v2 that an integration reads, with the fields, limits and quirks
//! of the real one, from a [`Community`] that can be grown from a seed and changed while it is
//! served:
//!
//! ```no_run
//! # async fn scenario() -> anyhow::Result<()> {
//! use sandbox::twitter::{App, Community, Fault, SCOPES, StatusCode, Twitter};
//!
//! let (community, acme) = Community::realistic(7, 2_500, 900);
//! let x = Twitter::serve(community).await?;
//! let app = App { client_id: "an app".into(), client_secret: None };
//! let tokens = x.grant(&app, acme, SCOPES);
//! x.misbehave("/followers", 1, Fault::Status(StatusCode::SERVICE_UNAVAILABLE));
//! // … point an integration at x.url(), with `tokens` …
//! let posts = x.look(|community| community.expected_hashtag("millrace"));
//! # Ok(())
//! # }
//! ```
//!
//! What it is strict about: an access token ends, a refresh token is good for one use, and coming
//! with a used one revokes the whole grant; requests are counted by user and endpoint; the recent
//! search knows seven days and refuses to be asked for more; a name that could be nobody's spoils
//! the whole look-up; lists leave out who is suspended; an edited post has another id.
//!
//! It serves its own loopback address only, and takes nothing in: people act by [`Twitter::edit`].

mod answers;
mod community;
mod faults;
mod front;
mod limits;
mod lookups;
mod oauth;
mod parameters;
mod problems;
mod realistic;
mod records;
mod routes;
mod site;
mod text;
mod token;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::middleware;
use chrono::TimeDelta;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use crate::devto::Request;
pub use axum::http::StatusCode;
pub use community::Community;
pub use faults::{ALWAYS, Fault};
pub use limits::{Class, RateLimit};
pub use lookups::{ExpectedPost, RECENT};
pub use oauth::{App, SCOPES, Tokens};
pub use records::{Follow, Post, PostId, Standing, User, UserId};

use site::{Passing, Site};

pub struct Twitter {
    addr: SocketAddr,
    site: Arc<Site>,
    server: JoinHandle<()>,
}

impl Twitter {
    /// Serves on a free port of 127.0.0.1.
    pub async fn serve(community: Community) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.context("listening for the simulated X")?;
        let addr = listener.local_addr()?;
        let site = Arc::new(Site::of(community));
        let front = middleware::from_fn_with_state(Arc::clone(&site), front::receive);
        let app = routes::routes().layer(front).with_state(Arc::clone(&site));
        let server = tokio::spawn(async move {
            axum::serve(listener, app).await.ok();
        });
        Ok(Self { addr, site, server })
    }

    /// Without a slash at its end: `http://127.0.0.1:41703`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn look<T>(&self, look: impl FnOnce(&Community) -> T) -> T {
        self.site.look(look)
    }

    /// Lets people act. Answers that are on their way keep what they said.
    pub fn edit<T>(&self, change: impl FnOnce(&mut Community) -> T) -> T {
        self.site.edit(change)
    }

    /// Somebody lets an application in.
    pub fn grant(&self, app: &App, user: UserId, scopes: &[&str]) -> Tokens {
        self.site.grants().grant(app, user, scopes, self.site.now())
    }

    /// How long access tokens are good that are given from now on; two hours, unless told otherwise.
    pub fn set_token_lifetime(&self, lifetime: TimeDelta) {
        self.site.grants().set_lifetime(lifetime);
    }

    /// Ends every access token there is. What renews them stays.
    pub fn expire_access_tokens(&self) {
        self.site.grants().expire_access_tokens();
    }

    /// Ends for good whatever this person has granted.
    pub fn revoke(&self, user: UserId) {
        self.site.grants().revoke(user);
    }

    /// How often an access was renewed; refusals do not count.
    pub fn renewals(&self) -> u64 {
        self.site.grants().renewals()
    }

    /// Another limit than X's own, with fresh windows.
    pub fn limit(&self, class: Class, limit: RateLimit) {
        self.site.limits().set(class, limit);
    }

    /// How many requests were above their limit.
    pub fn refused_count(&self) -> u64 {
        self.site.limits().refused
    }

    /// Lets so much of the community's time pass at every request. None, unless told otherwise.
    pub fn pass_with_each_request(&self, time: TimeDelta) {
        self.site.let_time_pass(Passing::ByRequests(time));
    }

    /// Lets the community's time be everybody's, from the next request on.
    pub fn keep_real_time(&self) {
        self.site.let_time_pass(Passing::Really);
    }

    /// The requests since the last [`Twitter::clear_requests`], oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.site.requests().clone()
    }

    pub fn request_count(&self) -> u64 {
        self.site.requests().len() as u64
    }

    pub fn clear_requests(&self) {
        self.site.requests().clear();
    }

    /// Spoils the answers to the next `times` requests that [ask for](Request::asks_for) this; a
    /// fault arranged earlier comes first.
    pub fn misbehave(&self, what: &str, times: u32, fault: Fault) {
        self.site.script().add(what, times, fault);
    }

    /// Forgets all faults that are still to come.
    pub fn behave(&self) {
        self.site.script().clear();
    }

    /// Lets each answer take at least this long. Nothing, unless told otherwise.
    pub fn set_latency(&self, latency: Duration) {
        self.site.set_latency(latency);
    }
}

impl Drop for Twitter {
    fn drop(&mut self) {
        self.server.abort();
    }
}
