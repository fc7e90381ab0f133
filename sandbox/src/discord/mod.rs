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
//! What it shares with the other platforms, from its address to its log, is told in
//! [`platform`](crate::platform).

mod answers;
mod community;
mod faults;
mod front;
mod limits;
mod lookups;
mod members;
mod realistic;
mod records;
mod refusals;
mod routes;
mod threads;

use std::sync::Mutex;

use axum::Router;
use axum::response::Response;

pub use crate::platform::{ALWAYS, RateLimit, Request, StatusCode};
pub use community::Community;
pub use faults::Fault;
pub use limits::Limits;
pub use lookups::ExpectedMessage;
pub use records::{
    Channel, Id, Kind, Membership, Message, MessageKind, Overwrite, ThreadState, User,
};

use crate::platform::{Ask, Incoming, Platform, Simulator, Site, SiteState, lock};
use limits::Limiter;

/// The only token it takes.
pub const TOKEN: &str = "bot-of-the-sandbox";

const API: &str = "/api/v10";

pub type Discord = Simulator<Rules>;

/// Buckets, and a limit over all requests.
#[derive(Default)]
pub struct Rules {
    limiter: Mutex<Limiter>,
}

impl Platform for Rules {
    const NAME: &'static str = "Discord";
    const API: &'static str = API;
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

impl Discord {
    /// Keeps these limits from now on, with fresh windows.
    pub fn limit(&self, limits: Limits) {
        lock(&self.site.rules.limiter).set(limits);
    }
}
