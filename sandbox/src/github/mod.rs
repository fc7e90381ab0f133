//! A GitHub that runs in this process, for the demonstration, the tests and the benches.
//!
//! It answers the queries and the few REST requests that an integration sends, with the types and
//! quirks of the real one, from a [`World`] that can be grown from a seed and changed while it is
//! served:
//!
//! ```no_run
//! # async fn scenario() -> anyhow::Result<()> {
//! use sandbox::github::{Fault, Github, World};
//!
//! let github = Github::serve(World::realistic(7)).await?;
//! github.misbehave("Pulls", 3, Fault::SecondaryLimit { retry_after: Some(2) });
//! // … point an integration at github.url(), with `PERSONAL_TOKEN` …
//! github.edit(|world| { let ada = world.add_user("ada"); /* … */ });
//! # Ok(())
//! # }
//! ```
//!
//! It serves a loopback address only, takes nothing in (people act by [`Github::edit`], not by HTTP),
//! and stops when dropped.

mod acts;
mod credentials;
mod faults;
mod front;
mod graphql;
mod limits;
mod lookups;
mod node;
mod realistic;
mod requests;
mod rest;
mod site;
mod world;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use acts::Step;
pub use axum::http::StatusCode;
pub use credentials::{APP_ID, INSTALLATION_ID, PERSONAL_TOKEN, PRIVATE_KEY};
pub use faults::{ALWAYS, Fault};
pub use graphql::cost;
pub use limits::RateLimit;
pub use lookups::ExpectedActivity;
pub use node::{Id, Node};
pub use requests::Request;
pub use world::World;

use site::{Site, lock};

pub struct Github {
    addr: SocketAddr,
    site: Arc<Site>,
    server: JoinHandle<()>,
}

impl Github {
    /// Serves on a free port of 127.0.0.1.
    pub async fn serve(world: World) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("listening for the simulated GitHub")?;
        let addr = listener.local_addr()?;
        let site = Arc::new(Site::of(world));
        let app = front::routes(Arc::clone(&site));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "the simulated GitHub stopped serving");
            }
        });
        Ok(Self { addr, site, server })
    }

    /// Without a slash at its end: `http://127.0.0.1:41703`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&lock(&self.site.world))
    }

    /// Lets people act. Answers that are on their way keep what they said.
    pub fn edit<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut lock(&self.site.world))
    }

    /// Lets people act once, right after the next answer to this: a query by its name, or a path.
    pub fn after(&self, what: &str, change: impl FnOnce(&mut World) + Send + 'static) {
        lock(&self.site.later).push((what.to_owned(), Box::new(change)));
    }

    /// The requests since the last [`Github::clear_requests`], oldest first; of very many, the last
    /// hundred thousand.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.site.requests).all()
    }

    /// All the requests since the last [`Github::clear_requests`].
    pub fn request_count(&self) -> u64 {
        lock(&self.site.requests).count
    }

    /// What they cost, in points.
    pub fn points(&self) -> u64 {
        lock(&self.site.requests).points
    }

    pub fn clear_requests(&self) {
        lock(&self.site.requests).clear();
    }

    /// Limits the points of queries from now on, with a fresh window.
    pub fn limit(&self, limit: RateLimit) {
        lock(&self.site.graphql).set(limit);
    }

    /// Limits the requests to the REST API from now on, with a fresh window.
    pub fn limit_rest(&self, limit: RateLimit) {
        lock(&self.site.core).set(limit);
    }

    /// Spoils the next `times` answers to this, by the name of a query or by a path; a fault arranged
    /// earlier comes first. An empty name is every request.
    pub fn misbehave(&self, what: &str, times: u32, fault: Fault) {
        lock(&self.site.script).add(what, times, fault);
    }

    /// Forgets all faults that are still to come.
    pub fn behave(&self) {
        lock(&self.site.script).clear();
    }

    /// Ends the tokens that the installation was given, as an hour does.
    pub fn end_tokens(&self) {
        lock(&self.site.tokens).end();
    }

    /// Whatever was ever shown as a token: tokens, and claims to be the application.
    pub fn tokens_shown(&self) -> BTreeSet<String> {
        lock(&self.site.shown).clone()
    }

    /// How many tokens the installation was given.
    pub fn tokens_issued(&self) -> u64 {
        lock(&self.site.tokens).issued()
    }

    /// How many requests and queries were above their limit.
    pub fn refused_count(&self) -> u64 {
        lock(&self.site.graphql).refused + lock(&self.site.core).refused
    }

    /// Lets each answer take at least this long. Nothing, unless told otherwise.
    pub fn set_latency(&self, latency: Duration) {
        *lock(&self.site.latency) = latency;
    }
}

impl Drop for Github {
    fn drop(&mut self) {
        self.server.abort();
    }
}
