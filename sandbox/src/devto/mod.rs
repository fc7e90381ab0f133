//! A dev.to that runs in this process, for the demonstration, the tests and the benches.
//!
//! It answers the endpoints an integration reads, with the fields, types and quirks of the real
//! one, from a [`Community`] that can be grown from a seed and changed while it is served:
//!
//! ```no_run
//! # async fn scenario() -> anyhow::Result<()> {
//! use sandbox::devto::{ALWAYS, Community, Devto, Fault, RetryAfter};
//!
//! let devto = Devto::serve(Community::realistic(7, 300, 5_000)).await?;
//! devto.misbehave("/api/comments", 3, Fault::RateLimited(RetryAfter::Seconds(2)));
//! devto.misbehave("/api/users/", ALWAYS, Fault::Hang);
//! // … point an integration at devto.url() …
//! let comments = devto.look(|community| community.expected_comments());
//! # Ok(())
//! # }
//! ```
//!
//! It serves its own loopback address only, asks for no credential, and takes nothing in: people
//! write by [`Devto::edit`], not by HTTP. It stops when dropped, in the middle of a word if need be.

mod answers;
mod community;
mod faults;
mod front;
mod limit;
mod lookups;
mod misbehaviour;
mod paging;
mod prose;
mod realistic;
mod records;
mod requests;
mod routes;
mod site;
mod vocabulary;
mod wire;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::middleware;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use axum::http::StatusCode;
pub use community::Community;
pub use faults::{ALWAYS, Fault, RetryAfter};
pub use limit::RateLimit;
pub use lookups::ExpectedComment;
pub use records::{
    Article, ArticleId, Comment, CommentId, Organization, OrganizationId, User, UserId, Visibility,
};
pub use requests::Request;

use site::Site;
use wire::{Cut, Wires};

pub struct Devto {
    addr: SocketAddr,
    site: Arc<Site>,
    stopped: CancellationToken,
    server: JoinHandle<io::Result<()>>,
}

impl Devto {
    /// Serves on a free port of 127.0.0.1.
    pub async fn serve(community: Community) -> anyhow::Result<Self> {
        Self::serve_on((Ipv4Addr::LOCALHOST, 0).into(), community).await
    }

    /// Serves on this address, for instance that of a site which was stopped.
    pub async fn serve_on(addr: SocketAddr, community: Community) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(addr)
            .await
            .with_context(|| format!("listening on {addr} for the simulated dev.to"))?;
        let addr = listener.local_addr()?;
        let site = Arc::new(Site::of(community));
        let stopped = CancellationToken::new();
        let server = serve(Wires { listener, stopped: stopped.clone() }, Arc::clone(&site));
        Ok(Self { addr, site, stopped, server })
    }

    /// Without a slash at its end: `http://127.0.0.1:41703`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn look<T>(&self, look: impl FnOnce(&Community) -> T) -> T {
        self.site.look(look)
    }

    /// Lets people act. Answers that are on their way keep what they said.
    pub fn edit<T>(&self, change: impl FnOnce(&mut Community) -> T) -> T {
        self.site.edit(change)
    }

    /// The requests since the last [`Devto::clear_requests`], oldest first; of very many, the last
    /// hundred thousand.
    pub fn requests(&self) -> Vec<Request> {
        self.site.requests.all()
    }

    /// All the requests since the last [`Devto::clear_requests`].
    pub fn request_count(&self) -> u64 {
        self.site.requests.count()
    }

    pub fn clear_requests(&self) {
        self.site.requests.clear();
    }

    /// Waits for a request that [asks for](Request::asks_for) this, and is content with one since
    /// the last [`Devto::clear_requests`]. The request has arrived; it need not be answered yet.
    pub async fn until_requested(&self, what: &str) -> Request {
        self.site.requests.until(what).await
    }

    /// Limits the rate from now on, with a fresh window; `None` lifts the limit.
    pub fn limit(&self, limit: impl Into<Option<RateLimit>>) {
        self.site.set_limit(limit.into());
    }

    /// How many requests were sent too early for the limit.
    pub fn refused_count(&self) -> u64 {
        self.site.refused()
    }

    /// Spoils the answers to the next `times` requests that [ask for](Request::asks_for) this; a
    /// fault arranged earlier comes first. Requests that the limit refuses do not count.
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

    /// Stops at once and returns when the port is free and every connection is reset.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stopped.cancel();
        (&mut self.server).await.context("stopping the simulated dev.to")??;
        Ok(())
    }
}

impl Drop for Devto {
    fn drop(&mut self) {
        self.stopped.cancel();
    }
}

fn serve(wires: Wires, site: Arc<Site>) -> JoinHandle<io::Result<()>> {
    let stopped = wires.stopped.clone();
    let front = middleware::from_fn_with_state(Arc::clone(&site), front::receive);
    let app = routes::routes().layer(front).with_state(site);
    let service = app.into_make_service_with_connect_info::<Cut>();
    let server = axum::serve(wires, service).with_graceful_shutdown(stopped.cancelled_owned());
    tokio::spawn(server.into_future())
}
