//! A Discord that runs in this process, for the demonstration, the tests and the benches.
//!
//! It answers the endpoints of API v10 that an integration reads, with the fields, types, limits and
//! quirks of the real one, from a [`Community`] that can be grown from a seed and changed while it
//! is served:
//!
//! ```no_run
//! # async fn scenario() -> anyhow::Result<()> {
//! use sandbox::discord::{Community, Discord, Fault};
//!
//! let discord = Discord::serve(Community::realistic(7, 300, 2_000)).await?;
//! discord.misbehave("/messages", 3, Fault::RateLimited { seconds: 2, global: false });
//! // … point an integration at discord.url(), with discord::TOKEN …
//! let messages = discord.look(|community| community.expected_messages());
//! # Ok(())
//! # }
//! ```
//!
//! It serves its own loopback address only and takes nothing in: people write by [`Discord::edit`],
//! not by HTTP. It stops when dropped.

mod answers;
mod community;
mod faults;
mod front;
mod limits;
mod lookups;
mod realistic;
mod records;
mod refusals;
mod requests;
mod routes;
mod site;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::middleware;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use axum::http::StatusCode;
pub use community::Community;
pub use faults::{ALWAYS, Fault};
pub use limits::{Limits, Rate};
pub use lookups::ExpectedMessage;
pub use records::{
    Channel, Id, Kind, Membership, Message, MessageKind, Overwrite, ThreadState, User,
};
pub use requests::Request;

use site::Site;

/// The only token it takes.
pub const TOKEN: &str = "bot-of-the-sandbox";

pub struct Discord {
    addr: SocketAddr,
    site: Arc<Site>,
    server: JoinHandle<()>,
}

impl Discord {
    /// Serves on a free port of 127.0.0.1.
    pub async fn serve(community: Community) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("listening for the simulated Discord")?;
        let addr = listener.local_addr()?;
        let site = Arc::new(Site::of(community));
        let front = middleware::from_fn_with_state(Arc::clone(&site), front::receive);
        let app = routes::routes().layer(front).with_state(Arc::clone(&site));
        let server = tokio::spawn(async move {
            // It ends by being dropped, and never by itself.
            axum::serve(listener, app).await.ok();
        });
        Ok(Self { addr, site, server })
    }

    /// Where the API is: `http://127.0.0.1:41703/api/v10`.
    pub fn url(&self) -> String {
        format!("http://{}/api/v10", self.addr)
    }

    pub fn look<T>(&self, look: impl FnOnce(&Community) -> T) -> T {
        self.site.look(look)
    }

    /// Lets people act. Answers that are on their way keep what they said.
    pub fn edit<T>(&self, change: impl FnOnce(&mut Community) -> T) -> T {
        self.site.edit(change)
    }

    /// The requests since the last [`Discord::clear_requests`], oldest first; of very many, the last
    /// hundred thousand.
    pub fn requests(&self) -> Vec<Request> {
        self.site.requests().all()
    }

    /// All the requests since the last [`Discord::clear_requests`].
    pub fn request_count(&self) -> u64 {
        self.site.requests().count()
    }

    pub fn clear_requests(&self) {
        self.site.requests().clear();
    }

    /// Keeps these limits from now on, with fresh windows.
    pub fn limit(&self, limits: Limits) {
        self.site.limiter().set(limits);
    }

    /// How many requests were sent too early for the limits.
    pub fn refused_count(&self) -> u64 {
        self.site.limiter().refused
    }

    /// Spoils the answers to the next `times` requests that [ask for](Request::asks_for) this; a
    /// fault arranged earlier comes first. Requests that the limits refuse do not count.
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

impl Drop for Discord {
    fn drop(&mut self) {
        self.server.abort();
    }
}
