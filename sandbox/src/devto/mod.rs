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
//! It asks for no credential. What it shares with the other platforms, from its address to its log, is
//! told in [`platform`](crate::platform).

mod answers;
mod community;
mod faults;
mod limit;
mod lookups;
mod paging;
mod prose;
mod realistic;
mod records;
mod routes;
mod vocabulary;

use std::sync::Mutex;

use axum::Router;
use axum::response::Response;
use tokio::time::Instant;

pub use crate::platform::{ALWAYS, RateLimit, Request, StatusCode};
pub use community::Community;
pub use faults::{Fault, RetryAfter};
pub use lookups::ExpectedComment;
pub use records::{
    Article, ArticleId, Comment, CommentId, Organization, OrganizationId, User, UserId, Visibility,
};

use crate::platform::{Ask, Incoming, Platform, Simulator, Site, SiteState, lock, whole_seconds};
use limit::Limiter;

pub type Devto = Simulator<Rules>;

/// So many requests in a window, whoever asks.
#[derive(Default)]
pub struct Rules {
    limiter: Mutex<Limiter>,
}

impl Platform for Rules {
    const NAME: &'static str = "dev.to";
    type World = Community;
    type Request = Request;
    type Fault = Fault;

    fn routes() -> Router<SiteState<Self>> {
        routes::routes()
    }

    fn read(ask: Ask<'_>) -> Request {
        Request::of::<Self>(ask)
    }

    /// Requests that the limit refuses use up no fault.
    async fn receive(site: &Site<Self>, asked: &Request, incoming: Incoming) -> Response {
        let admitted = lock(&site.rules.limiter).admit(Instant::now());
        match admitted {
            Ok(()) => site.answer(asked, incoming).await,
            Err(left) => {
                site.count_refused();
                faults::too_many_requests(RetryAfter::Seconds(whole_seconds(left)))
            }
        }
    }

    async fn misbehave(fault: Fault, incoming: Incoming) -> Response {
        faults::misbehave(fault, incoming).await
    }
}

impl Devto {
    /// Limits the rate from now on, with a fresh window; `None` lifts the limit.
    pub fn limit(&self, limit: impl Into<Option<RateLimit>>) {
        lock(&self.site.rules.limiter).set(limit.into());
    }
}
