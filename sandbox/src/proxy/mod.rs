//! A TCP connection that can be made to fail: refused, cut, silent, or dead at the worst moment.
//!
//! A client is pointed at [`Proxy::addr`] instead of the server. Whether it speaks PostgreSQL or
//! HTTP is the same to the proxy, except that an [`Accident`] looks for plain bytes, so the
//! connection must not be encrypted, and what is looked for must be sent in one piece.

mod connection;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

pub use connection::Accident;

use connection::{Road, State, carry};

/// A proxy in front of one server. It ends when dropped, and its connections with it.
pub struct Proxy {
    addr: SocketAddr,
    road: Arc<Road>,
    /// What the keeper has made of it: whether it listens.
    listening: watch::Receiver<bool>,
    keeper: JoinHandle<io::Result<()>>,
    /// Bound and never listening: it keeps the port ours while the proxy refuses.
    _port: TcpSocket,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 and forwards to this server, which need not be up yet.
    pub async fn to(server: SocketAddr) -> anyhow::Result<Self> {
        let port = socket((Ipv4Addr::LOCALHOST, 0).into()).context("finding a port")?;
        let addr = port.local_addr()?;
        let road = Arc::new(Road::to(server));
        let (listens, mut listening) = watch::channel(false);
        let keeper = tokio::spawn(keep(addr, Arc::clone(&road), listens));
        listening.wait_for(|listens| *listens).await.context("listening for the proxy")?;
        Ok(Self { addr, road, listening, keeper, _port: port })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Drops every connection and refuses new ones; both have happened when this returns.
    pub async fn cut(&self) {
        self.road.wanted.send_replace(State::Cut);
        self.until_listening(false).await;
    }

    /// Accepts, and forwards nothing more in either direction.
    pub async fn black_hole(&self) {
        self.road.wanted.send_replace(State::BlackHole);
        self.until_listening(true).await;
    }

    /// Forwards again, also what a black hole held back.
    pub async fn restore(&self) {
        self.road.wanted.send_replace(State::Open);
        self.until_listening(true).await;
    }

    /// Lets one connection die like this; replaces an accident that has not happened yet.
    pub fn arrange(&self, accident: Accident) {
        self.road.arrange(accident);
    }

    /// Waits until this many accidents have happened since the proxy began.
    pub async fn until_accidents(&self, count: u64) {
        let mut accidents = self.road.accidents.subscribe();
        // The sender is ours, so it cannot be gone.
        let _ = accidents.wait_for(|happened| *happened >= count).await;
    }

    async fn until_listening(&self, wanted: bool) {
        let mut listening = self.listening.clone();
        let settled = listening.wait_for(|listens| *listens == wanted).await;
        // Only a machine out of descriptors ends the keeper, and with it the test.
        settled.expect("the proxy's port is still ours");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Listens while connections are wanted. Refusing is not listening: whoever is accepted and then
/// dropped was not refused.
async fn keep(addr: SocketAddr, road: Arc<Road>, listens: watch::Sender<bool>) -> io::Result<()> {
    let mut wanted = road.wanted.subscribe();
    loop {
        let Ok(_) = wanted.wait_for(|state| *state != State::Cut).await else {
            return Ok(());
        };
        let listener = socket(addr)?.listen(1024)?;
        let mut connections = JoinSet::new();
        listens.send_replace(true);
        tokio::select! {
            _ = wanted.wait_for(|state| *state == State::Cut) => {}
            accepted = accept(&listener, &mut connections, &road) => accepted?,
        }
        drop(listener);
        connections.shutdown().await;
        listens.send_replace(false);
    }
}

async fn accept(
    listener: &TcpListener,
    connections: &mut JoinSet<io::Result<()>>,
    road: &Arc<Road>,
) -> io::Result<()> {
    loop {
        let (client, _) = listener.accept().await?;
        connections.spawn(carry(client, Arc::clone(road)));
        // Connections that ended meanwhile are let go of here, so that a long life stays small.
        while connections.try_join_next().is_some() {}
    }
}

/// With the address marked for reuse, so that the listener and the holder of its port can share it.
fn socket(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    Ok(socket)
}
