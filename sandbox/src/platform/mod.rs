//! What all simulated platforms share. To add one, say only what is its own:
//!
//! ```
//! use axum::Router;
//! use axum::extract::State;
//! use axum::response::{IntoResponse, Response};
//! use axum::routing::get;
//! use sandbox::platform::{Ask, Incoming, Platform, Request, Simulator, SiteState, StatusCode};
//!
//! pub type Echo = Simulator<Rules>;
//!
//! /// What Echo keeps beside its world: limits, tokens. It has none.
//! #[derive(Default)]
//! pub struct Rules;
//!
//! #[derive(Clone, Debug)]
//! pub enum Fault {
//!     Status(StatusCode),
//!     TruncatedJson,
//! }
//!
//! impl Platform for Rules {
//!     const NAME: &'static str = "Echo";
//!     type World = Vec<String>;
//!     type Request = Request;
//!     type Fault = Fault;
//!
//!     fn routes() -> Router<SiteState<Self>> {
//!         Router::new().route("/words", get(words))
//!     }
//!
//!     fn read(ask: Ask<'_>) -> Request {
//!         Request::of::<Self>(ask)
//!     }
//!
//!     async fn misbehave(fault: Fault, incoming: Incoming) -> Response {
//!         match fault {
//!             Fault::Status(status) => status.into_response(),
//!             Fault::TruncatedJson => incoming.truncated().await,
//!         }
//!     }
//! }
//!
//! async fn words(State(site): State<SiteState<Rules>>) -> String {
//!     site.look(|words| words.join(" "))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> anyhow::Result<()> {
//! # rustls::crypto::ring::default_provider().install_default().ok();
//! let echo = Echo::serve(vec!["it".into()]).await?;
//! echo.edit(|words| words.push("turns".into()));
//! let said = reqwest::get(format!("{}/words", echo.url())).await?.text().await?;
//! assert_eq!((said.as_str(), echo.request_count()), ("it turns", 1));
//! # Ok(())
//! # }
//! ```
//!
//! From here it then has all that [`Simulator`] offers: an address of its own, a world to look at and
//! to act in, a log of what was asked, faults by script, latency, a stop in the middle of a word.
//!
//! | file | what |
//! |---|---|
//! | [`Simulator`] in `simulator.rs` | what a scenario holds |
//! | [`Platform`] here | what a platform says of itself |
//! | [`Site`] in `site.rs` | what all requests share |
//! | `front.rs` | what every request passes |
//! | [`Request`] in `requests.rs` | the log of what was asked |
//! | `faults.rs`, [`Incoming`] in `incoming.rs` | what goes wrong by script, and how |
//! | [`RateLimit`] in `limits.rs` | windows that count |
//! | `wire.rs` | connections that can be cut |
//!
//! A simulator is a folder that begins with the `mod.rs` of the example. By custom the rest is told in
//! `routes.rs` (the endpoints), `answers.rs` (how things are written), `community.rs` (what people can
//! do), `records.rs` (what there is), `realistic.rs` (a world grown from a seed) and `lookups.rs` (the
//! truth that a synchronisation is compared with).

mod faults;
mod front;
mod incoming;
mod limits;
mod requests;
mod simulator;
mod site;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;

pub use axum::http::StatusCode;
pub use faults::ALWAYS;
pub use incoming::{Incoming, huge};
pub use limits::{RateLimit, Tally, Window, whole_seconds};
pub use requests::{Ask, Asked, Request};
pub use simulator::Simulator;
pub use site::Site;

pub(crate) use site::lock;

/// What endpoints get as axum's state.
pub type SiteState<P> = Arc<Site<P>>;

/// What one platform has of its own. Its value is what is kept beside the world: limits, tokens.
pub trait Platform: Default + Send + Sync + 'static {
    /// As people call it.
    const NAME: &'static str;
    /// Where the API begins: `/api/v10`. It is part of the simulator's address, and no part of what
    /// the log says was asked.
    const API: &'static str = "";

    /// What there is to see, and in which people act.
    type World: Send + Sync;
    /// What is remembered of a request: [`Request`], unless paths say too little.
    type Request: Asked;
    /// What can go wrong by script.
    type Fault: Clone + Send;

    /// The endpoints, each one look at the world.
    fn routes() -> Router<SiteState<Self>>;

    /// What the log keeps of a request.
    fn read(ask: Ask<'_>) -> Self::Request;

    /// Answers with this fault.
    fn misbehave(fault: Self::Fault, incoming: Incoming) -> impl Future<Output = Response> + Send;

    /// What stands before the endpoints: who is let in, limits, faults, in the platform's own order.
    /// Unless told otherwise, the faults.
    fn receive(
        site: &Site<Self>,
        asked: &Self::Request,
        incoming: Incoming,
    ) -> impl Future<Output = Response> + Send {
        site.answer(asked, incoming)
    }

    /// Whether this fault is meant for such a request; what it was arranged for fits already.
    fn befalls(_fault: &Self::Fault, _asked: &Self::Request) -> bool {
        true
    }
}
