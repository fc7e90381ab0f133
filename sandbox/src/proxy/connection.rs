//! One connection through the proxy, and how it dies.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

/// Where a connection dies, once.
#[derive(Clone, Debug)]
pub enum Accident {
    /// Before the server hears a message that contains this (nothing: any message): it never
    /// happened.
    BeforeServerHears(Vec<u8>),
    /// After the server answered a message that contains this, and before the client learns of it:
    /// it happened, and nobody knows.
    BeforeClientLearns(Vec<u8>),
    /// After this many more bytes from the server, on whichever connection.
    AfterBytesFromServer(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    BlackHole,
    Cut,
}

pub(super) struct Road {
    server: SocketAddr,
    pub(super) wanted: watch::Sender<State>,
    accident: Mutex<Option<Accident>>,
    pub(super) accidents: watch::Sender<u64>,
}

/// One connection. Both sides lose it when either direction fails, by accident or not.
pub(super) async fn carry(mut client: TcpStream, road: Arc<Road>) -> io::Result<()> {
    let mut server = TcpStream::connect(road.server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let answer_is_lost = AtomicBool::new(false);
    let asking = ask(from_client, to_server, &road, &answer_is_lost);
    let answering = answer(from_server, to_client, &road, &answer_is_lost);
    tokio::try_join!(asking, answering).map(|_| ())
}

async fn ask(
    mut client: ReadHalf<'_>,
    mut server: WriteHalf<'_>,
    road: &Road,
    answer_is_lost: &AtomicBool,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    while let message @ 1.. = client.read(&mut buffer).await? {
        road.until_open().await;
        let message = &buffer[..message];
        match road.take(|accident| accident.concerns(message)) {
            Some(Accident::BeforeServerHears(_)) => return Err(road.happened()),
            Some(_) => answer_is_lost.store(true, Ordering::SeqCst),
            None => {}
        }
        server.write_all(message).await?;
    }
    server.shutdown().await
}

async fn answer(
    mut server: ReadHalf<'_>,
    mut client: WriteHalf<'_>,
    road: &Road,
    answer_is_lost: &AtomicBool,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    while let message @ 1.. = server.read(&mut buffer).await? {
        road.until_open().await;
        if answer_is_lost.load(Ordering::SeqCst) {
            return Err(road.happened());
        }
        let allowed = road.spend(message);
        client.write_all(&buffer[..allowed]).await?;
        if allowed < message {
            return Err(road.happened());
        }
    }
    client.shutdown().await
}

impl Accident {
    fn concerns(&self, message: &[u8]) -> bool {
        match self {
            Self::BeforeServerHears(sign) | Self::BeforeClientLearns(sign) => {
                sign.is_empty() || message.windows(sign.len()).any(|window| window == sign)
            }
            Self::AfterBytesFromServer(_) => false,
        }
    }
}

impl Road {
    pub(super) fn to(server: SocketAddr) -> Self {
        Self {
            server,
            wanted: watch::Sender::new(State::Open),
            accident: Mutex::default(),
            accidents: watch::Sender::new(0),
        }
    }

    pub(super) fn arrange(&self, accident: Accident) {
        *self.accident() = Some(accident);
    }

    async fn until_open(&self) {
        // The keeper holds this road while its connections live, and the sender with it.
        let _ = self.wanted.subscribe().wait_for(|state| *state == State::Open).await;
    }

    fn take(&self, when: impl FnOnce(&mut Accident) -> bool) -> Option<Accident> {
        self.accident().take_if(when)
    }

    /// How many of this many bytes still reach the client.
    fn spend(&self, bytes: usize) -> usize {
        let mut accident = self.accident();
        let Some(Accident::AfterBytesFromServer(left)) = &mut *accident else {
            return bytes;
        };
        if let Some(rest) = left.checked_sub(bytes) {
            *left = rest;
            return bytes;
        }
        let allowed = *left;
        *accident = None;
        allowed
    }

    fn happened(&self) -> io::Error {
        self.accidents.send_modify(|accidents| *accidents += 1);
        io::ErrorKind::ConnectionAborted.into()
    }

    fn accident(&self) -> MutexGuard<'_, Option<Accident>> {
        self.accident.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
