//! A platform that is served in this process: what a scenario, a test or a bench holds.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::middleware;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::front::receive;
use super::requests::Asked;
use super::site::Site;
use super::wire::{Cut, Wires};
use super::{Platform, SiteState};

/// It serves its own loopback address only, and takes nothing in: people act by
/// [`edit`](Self::edit), not by HTTP. It stops when dropped, in the middle of a word if need be.
pub struct Simulator<P: Platform> {
    addr: SocketAddr,
    pub(crate) site: SiteState<P>,
    stopped: CancellationToken,
    server: JoinHandle<io::Result<()>>,
}

impl<P: Platform> Simulator<P> {
    /// Serves on a free port of 127.0.0.1.
    pub async fn serve(world: P::World) -> anyhow::Result<Self> {
        Self::serve_on((Ipv4Addr::LOCALHOST, 0).into(), world).await
    }

    /// Serves on this address, for instance that of a site which was stopped.
    pub async fn serve_on(addr: SocketAddr, world: P::World) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(addr)
            .await
            .with_context(|| format!("listening on {addr} for the simulated {}", P::NAME))?;
        let addr = listener.local_addr()?;
        let site = Arc::new(Site::of(world));
        let stopped = CancellationToken::new();
        let server = serve(Wires { listener, stopped: stopped.clone() }, Arc::clone(&site));
        Ok(Self { addr, site, stopped, server })
    }

    /// Where the API is, without a slash at its end: `http://127.0.0.1:41703/api/v10`.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.addr, P::API)
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn look<T>(&self, look: impl FnOnce(&P::World) -> T) -> T {
        self.site.look(look)
    }

    /// Lets people act. Answers that are on their way keep what they said.
    pub fn edit<T>(&self, change: impl FnOnce(&mut P::World) -> T) -> T {
        self.site.edit(change)
    }

    /// The requests since the last [`clear_requests`](Self::clear_requests), oldest first, the
    /// refused among them; of very many, the last hundred thousand.
    pub fn requests(&self) -> Vec<P::Request> {
        self.site.requests.all()
    }

    /// All the requests since the last [`clear_requests`](Self::clear_requests).
    pub fn request_count(&self) -> u64 {
        self.site.requests.count()
    }

    /// How many of [`requests`](Self::requests) [asked for](Asked::asks_for) this.
    pub fn requests_of(&self, what: &str) -> usize {
        self.requests().iter().filter(|request| request.asks_for(what)).count()
    }

    /// How many requests came too early for the platform's limits; scripted refusals do not count.
    pub fn refused_count(&self) -> u64 {
        self.site.refused_count()
    }

    pub fn clear_requests(&self) {
        self.site.requests.clear();
    }

    /// Waits for a request that [asks for](Asked::asks_for) this, and is content with one since the
    /// last [`clear_requests`](Self::clear_requests). The request has arrived; it need not be
    /// answered yet.
    pub async fn until_requested(&self, what: &str) -> P::Request {
        self.site.requests.until(what).await
    }

    /// Spoils the answers to the next `times` requests that [ask for](Asked::asks_for) this; a
    /// fault arranged earlier comes first.
    pub fn misbehave(&self, what: &str, times: u32, fault: P::Fault) {
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
        let stopping = || format!("stopping the simulated {}", P::NAME);
        (&mut self.server).await.with_context(stopping)?.with_context(stopping)
    }
}

impl<P: Platform> Drop for Simulator<P> {
    fn drop(&mut self) {
        self.stopped.cancel();
    }
}

fn serve<P: Platform>(wires: Wires, site: SiteState<P>) -> JoinHandle<io::Result<()>> {
    let stopped = wires.stopped.clone();
    let front = middleware::from_fn_with_state(Arc::clone(&site), receive::<P>);
    let app = P::routes().layer(front).with_state(site);
    let service = app.into_make_service_with_connect_info::<Cut>();
    let server = axum::serve(wires, service).with_graceful_shutdown(stopped.cancelled_owned());
    tokio::spawn(server.into_future())
}
