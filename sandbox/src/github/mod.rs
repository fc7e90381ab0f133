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
//! What it shares with the other platforms, from its address to its log, is told in
//! [`platform`](crate::platform).

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
mod routes;
mod world;

use std::collections::BTreeSet;
use std::sync::Mutex;

use axum::Router;
use axum::response::Response;

pub use crate::platform::{ALWAYS, RateLimit, StatusCode};
pub use acts::Step;
pub use credentials::{APP_ID, INSTALLATION_ID, PERSONAL_TOKEN, PRIVATE_KEY};
pub use faults::Fault;
pub use graphql::cost;
pub use lookups::ExpectedActivity;
pub use node::{Id, Node};
pub use requests::Request;
pub use world::World;

use crate::platform::{Ask, Incoming, Platform, Simulator, Site, SiteState, lock};
use credentials::Tokens;
use limits::Ledger;

pub type Github = Simulator<Rules>;

/// Tokens of an installation, a limit of points and one of requests.
pub struct Rules {
    tokens: Mutex<Tokens>,
    /// Whatever was ever shown as a token, good or not.
    shown: Mutex<BTreeSet<String>>,
    graphql: Mutex<Ledger>,
    core: Mutex<Ledger>,
    /// What happens after the next answer to something.
    later: Mutex<Vec<(String, Change)>>,
}

type Change = Box<dyn FnOnce(&mut World) + Send>;

impl Default for Rules {
    fn default() -> Self {
        Self {
            tokens: Mutex::default(),
            shown: Mutex::default(),
            graphql: Mutex::new(Ledger::of("graphql")),
            core: Mutex::new(Ledger::of("core")),
            later: Mutex::default(),
        }
    }
}

impl Platform for Rules {
    const NAME: &'static str = "GitHub";
    type World = World;
    type Request = Request;
    type Fault = Fault;

    fn routes() -> Router<SiteState<Self>> {
        routes::routes()
    }

    fn read(ask: Ask<'_>) -> Request {
        Request::of(ask)
    }

    async fn receive(site: &Site<Self>, asked: &Request, incoming: Incoming) -> Response {
        front::receive(site, asked, incoming).await
    }

    async fn misbehave(fault: Fault, incoming: Incoming) -> Response {
        faults::misbehave(fault, incoming).await
    }

    fn befalls(fault: &Fault, asked: &Request) -> bool {
        match fault {
            Fault::TooMuch { from } => asked.size().is_some_and(|size| size >= *from),
            _ => true,
        }
    }
}

impl Github {
    /// Lets people act once, right after the next answer to this: a query by its name, or a path.
    pub fn after(&self, what: &str, change: impl FnOnce(&mut World) + Send + 'static) {
        lock(&self.site.rules.later).push((what.to_owned(), Box::new(change)));
    }

    /// What [`requests`](Simulator::requests) cost, in points.
    pub fn points(&self) -> u64 {
        self.requests().iter().map(|request| u64::from(request.cost)).sum()
    }

    /// Limits the points of queries from now on, with a fresh window.
    pub fn limit(&self, limit: RateLimit) {
        lock(&self.site.rules.graphql).set(limit);
    }

    /// Limits the requests to the REST API from now on, with a fresh window.
    pub fn limit_rest(&self, limit: RateLimit) {
        lock(&self.site.rules.core).set(limit);
    }

    /// Ends the tokens that the installation was given, as an hour does.
    pub fn end_tokens(&self) {
        lock(&self.site.rules.tokens).end();
    }

    /// Lets the personal token have these scopes only.
    pub fn grant(&self, scopes: &[&str]) {
        lock(&self.site.rules.tokens).grant(scopes);
    }

    /// Whatever was ever shown as a token: tokens, and claims to be the application.
    pub fn tokens_shown(&self) -> BTreeSet<String> {
        lock(&self.site.rules.shown).clone()
    }

    /// How many tokens the installation was given.
    pub fn tokens_issued(&self) -> u64 {
        lock(&self.site.rules.tokens).issued()
    }
}
