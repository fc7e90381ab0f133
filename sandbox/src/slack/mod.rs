//! A Slack that runs in this process, for the demonstration, the tests and the benches.
//!
//! It answers the methods an integration reads with, from a [`Workspace`] that can be grown from a
//! seed and changed while it is served:
//!
//! ```no_run
//! # async fn scenario() -> anyhow::Result<()> {
//! use sandbox::slack::{Fault, Pace, Slack, TOKEN, Workspace};
//!
//! let slack = Slack::serve(Workspace::realistic(7, 1_500)).await?;
//! slack.limit(Some(Pace::Clock));
//! slack.misbehave("conversations.history", 1, Fault::Says("internal_error"));
//! // … point an integration at slack.url() with TOKEN …
//! let messages = slack.look(|workspace| workspace.expected_messages());
//! # Ok(())
//! # }
//! ```
//!
//! It serves its own loopback address only, and wants the workspace's token. People write by
//! [`Slack::edit`], not by HTTP. It stops when dropped.

mod answers;
mod grants;
mod limits;
mod lookups;
mod methods;
mod realistic;
mod records;
mod routes;
mod site;
mod words;
mod workspace;

use std::future::IntoFuture;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use grants::{Distribution, Grants, TOKEN};
pub use limits::Pace;
pub use lookups::ExpectedMessage;
pub use records::{Channel, ChannelId, Kind, Message, MessageId, Ts, User, UserId};
pub use site::{Fault, Request};
pub use workspace::Workspace;

use site::Site;

pub struct Slack {
    addr: SocketAddr,
    site: Arc<Site>,
    stopped: CancellationToken,
    server: JoinHandle<io::Result<()>>,
}

impl Slack {
    /// Serves on a free port of 127.0.0.1.
    pub async fn serve(workspace: Workspace) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("listening for the simulated Slack")?;
        let addr = listener.local_addr()?;
        let site = Arc::new(Site::of(workspace));
        let stopped = CancellationToken::new();
        let server = axum::serve(listener, routes::routes(Arc::clone(&site)))
            .with_graceful_shutdown(stopped.clone().cancelled_owned());
        Ok(Self { addr, site, stopped, server: tokio::spawn(server.into_future()) })
    }

    /// Of the API: `http://127.0.0.1:41703/api`.
    pub fn url(&self) -> String {
        format!("http://{}/api", self.addr)
    }

    pub fn look<T>(&self, look: impl FnOnce(&Workspace) -> T) -> T {
        look(&self.site.workspace())
    }

    /// Lets people act. Answers that are on their way keep what they said.
    pub fn edit<T>(&self, change: impl FnOnce(&mut Workspace) -> T) -> T {
        change(&mut self.site.workspace())
    }

    /// The requests since the last [`Slack::clear_requests`], oldest first; those that were refused
    /// are among them.
    pub fn requests(&self) -> Vec<Request> {
        self.site.requests().clone()
    }

    pub fn request_count(&self) -> usize {
        self.site.requests().len()
    }

    /// How many of them called this method.
    pub fn requests_of(&self, method: &str) -> usize {
        self.site.requests().iter().filter(|request| request.method == method).count()
    }

    pub fn clear_requests(&self) {
        self.site.requests().clear();
    }

    /// Keeps Slack's limits from now on, with fresh windows; `None`: no limits, as at first.
    pub fn limit(&self, pace: Option<Pace>) {
        self.site.limits().set(pace);
    }

    /// How many requests came too early for the limits.
    pub fn refused_count(&self) -> u64 {
        self.site.limits().refused
    }

    /// Spoils the answers to the next `times` calls of this method; what was arranged earlier comes
    /// first.
    pub fn misbehave(&self, method: &str, times: u32, fault: Fault) {
        self.site.script().push((method.to_owned(), times, fault));
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

impl Drop for Slack {
    fn drop(&mut self) {
        self.stopped.cancel();
        self.server.abort();
    }
}
