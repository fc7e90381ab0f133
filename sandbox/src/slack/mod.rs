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
//! It wants the workspace's token. What it shares with the other platforms, from its address to its
//! log, is told in [`platform`](crate::platform).

mod answers;
mod faults;
mod grants;
mod limits;
mod lookups;
mod methods;
mod realistic;
mod records;
mod requests;
mod routes;
mod words;
mod workspace;

use std::sync::Mutex;

use axum::Router;
use axum::response::Response;

pub use crate::platform::{ALWAYS, StatusCode};
pub use faults::Fault;
pub use grants::{Distribution, Grants, TOKEN};
pub use limits::Pace;
pub use lookups::ExpectedMessage;
pub use records::{Channel, ChannelId, Kind, Message, MessageId, Ts, User, UserId};
pub use requests::Request;
pub use workspace::Workspace;

use crate::platform::{Ask, Incoming, Platform, Simulator, Site, SiteState, lock};
use limits::Limits;

/// What Slack has published of its API, pruned to what is used here; its beginning says where it is
/// from. The simulator's answers are held against it, and so is whoever reads them.
pub const DESCRIPTION: &str = include_str!("description.json");

pub type Slack = Simulator<Rules>;

/// So many requests a minute, for each method.
#[derive(Default)]
pub struct Rules {
    limits: Mutex<Limits>,
}

impl Platform for Rules {
    const NAME: &'static str = "Slack";
    const API: &'static str = "/api";
    type World = Workspace;
    type Request = Request;
    type Fault = Fault;

    fn routes() -> Router<SiteState<Self>> {
        routes::routes()
    }

    fn read(ask: Ask<'_>) -> Request {
        Request::of(ask)
    }

    async fn receive(site: &Site<Self>, asked: &Request, mut incoming: Incoming) -> Response {
        incoming.bring(asked.clone());
        site.answer(asked, incoming).await
    }

    async fn misbehave(fault: Fault, _incoming: Incoming) -> Response {
        faults::misbehave(fault)
    }
}

impl Slack {
    /// Keeps Slack's limits from now on, with fresh windows; `None`: no limits, as at first.
    pub fn limit(&self, pace: Option<Pace>) {
        lock(&self.site.rules.limits).set(pace);
    }
}
