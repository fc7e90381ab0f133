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
//! What it shares with the other platforms, from its address to its log, is told in
//! [`platform`](crate::platform).

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
mod text;
mod token;

use std::sync::Mutex;

use axum::Router;
use axum::response::Response;
use chrono::TimeDelta;

pub use crate::platform::{ALWAYS, RateLimit, Request, StatusCode};
pub use community::{Community, INDEXING};
pub use faults::Fault;
pub use limits::Class;
pub use lookups::{ExpectedPost, RECENT};
pub use oauth::{App, SCOPES, Tokens};
pub use records::{Follow, Post, PostId, Standing, User, UserId};

use crate::platform::{Ask, Incoming, Platform, Simulator, Site, SiteState, lock};
use front::Passing;
use limits::Limits;
use oauth::Grants;

/// What X has published of its API, pruned to what is used here; its beginning says where it is
/// from. The simulator's answers are held against it, and so is whoever reads them.
pub const DESCRIPTION: &str = include_str!("description.json");

pub type Twitter = Simulator<Rules>;

/// Accesses that people granted, limits for each of them, and a time of its own.
#[derive(Default)]
pub struct Rules {
    grants: Mutex<Grants>,
    limits: Mutex<Limits>,
    time: Mutex<Passing>,
}

impl Platform for Rules {
    const NAME: &'static str = "X";
    type World = Community;
    type Request = Request;
    type Fault = Fault;

    fn routes() -> Router<SiteState<Self>> {
        routes::routes()
    }

    fn read(ask: Ask<'_>) -> Request {
        Request::of::<Self>(ask)
    }

    async fn receive(site: &Site<Self>, asked: &Request, incoming: Incoming) -> Response {
        front::receive(site, asked, incoming).await
    }

    async fn misbehave(fault: Fault, incoming: Incoming) -> Response {
        faults::misbehave(fault, incoming).await
    }
}

impl Twitter {
    /// Somebody lets an application in.
    pub fn grant(&self, app: &App, user: UserId, scopes: &[&str]) -> Tokens {
        lock(&self.site.rules.grants).grant(app, user, scopes, self.site.now())
    }

    /// How long access tokens are good that are given from now on; two hours, unless told otherwise.
    pub fn set_token_lifetime(&self, lifetime: TimeDelta) {
        lock(&self.site.rules.grants).set_lifetime(lifetime);
    }

    /// Ends this one. What renews it stays.
    pub fn expire_access_token(&self, token: &str) {
        lock(&self.site.rules.grants).expire_access_token(token);
    }

    /// Ends every access token there is. What renews them stays.
    pub fn expire_access_tokens(&self) {
        lock(&self.site.rules.grants).expire_access_tokens();
    }

    /// Ends for good whatever this person has granted.
    pub fn revoke(&self, user: UserId) {
        lock(&self.site.rules.grants).revoke(user);
    }

    /// Every pair that was ever given, good or not.
    pub fn tokens_given(&self) -> Vec<Tokens> {
        lock(&self.site.rules.grants).given()
    }

    /// How often an access was renewed; refusals do not count.
    pub fn renewals(&self) -> u64 {
        lock(&self.site.rules.grants).renewals()
    }

    /// Another limit than X's own, with fresh windows.
    pub fn limit(&self, class: Class, limit: RateLimit) {
        lock(&self.site.rules.limits).set(class, limit);
    }

    /// Lets so much of the community's time pass at every request. None, unless told otherwise.
    pub fn pass_with_each_request(&self, time: TimeDelta) {
        *lock(&self.site.rules.time) = Passing::ByRequests(time);
    }

    /// Lets the community's time be everybody's, from the next request on.
    pub fn keep_real_time(&self) {
        *lock(&self.site.rules.time) = Passing::Really;
    }
}
