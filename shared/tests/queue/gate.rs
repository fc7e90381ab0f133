//! A TCP proxy that can be shut, or made to hang, in front of a server that cannot.

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    state: watch::Sender<State>,
    _accepting: AbortOnDropHandle<()>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Shut,
    Hanging,
}

/// What is behind the gate.
#[derive(Clone)]
pub(crate) enum Server {
    Tcp(String),
    Unix(PathBuf),
}

impl Gate {
    pub(crate) async fn before(server: Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let state = watch::Sender::new(State::Open);
        let accepting = tokio::spawn(accept(listener, server, state.subscribe()));
        Self { address, state, _accepting: AbortOnDropHandle::new(accepting) }
    }

    pub(crate) fn open(&self) {
        self.state.send_replace(State::Open);
    }

    /// Cuts all connections, and new ones too.
    pub(crate) fn shut(&self) {
        self.state.send_replace(State::Shut);
    }

    /// Takes connections and bytes, and passes nothing on until it is opened.
    pub(crate) fn hang(&self) {
        self.state.send_replace(State::Hanging);
    }
}

async fn accept(listener: TcpListener, server: Server, state: watch::Receiver<State>) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.expect("a connection");
        connections.spawn(serve(client, server.clone(), state.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(client: TcpStream, server: Server, mut state: watch::Receiver<State>) {
    // Fails when the gate is gone.
    let Ok(now) = state.wait_for(|state| *state != State::Hanging).await.map(|state| *state) else {
        return;
    };
    if now == State::Shut {
        return;
    }
    match server {
        Server::Tcp(address) => {
            let server = TcpStream::connect(address).await.expect("the server is there");
            pass(client, server, state).await;
        }
        Server::Unix(path) => {
            let server = UnixStream::connect(path).await.expect("the server is there");
            pass(client, server, state).await;
        }
    }
}

async fn pass(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    mut server: impl AsyncRead + AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
) {
    let mut passing = Box::pin(copy_bidirectional(&mut client, &mut server));
    loop {
        let now = *state.borrow_and_update();
        tokio::select! {
            _ended = &mut passing, if now == State::Open => return,
            changed = state.changed() => {
                if changed.is_err() || *state.borrow() == State::Shut {
                    return;
                }
            }
        }
    }
}
