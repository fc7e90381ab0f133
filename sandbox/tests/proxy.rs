//! A connection made to fail, in front of a server that echoes and remembers.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use sandbox::proxy::{Accident, Proxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

#[tokio::test]
async fn what_is_said_is_carried_both_ways() {
    let (_echo, proxy) = echo_behind_proxy().await;
    let mut connection = TcpStream::connect(proxy.addr()).await.unwrap();
    assert_eq!(say(&mut connection, b"hello").await.unwrap(), b"hello");
    assert_eq!(say(&mut connection, b"again").await.unwrap(), b"again");
}

#[tokio::test]
async fn the_end_of_one_direction_is_carried_too() {
    let (_echo, proxy) = echo_behind_proxy().await;
    let mut connection = TcpStream::connect(proxy.addr()).await.unwrap();
    connection.write_all(b"last words").await.unwrap();
    connection.shutdown().await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"last words");
}

#[tokio::test]
async fn a_cut_drops_who_is_there_and_refuses_who_comes_until_restored() {
    let (_echo, proxy) = echo_behind_proxy().await;
    let mut connection = TcpStream::connect(proxy.addr()).await.unwrap();
    say(&mut connection, b"hello").await.unwrap();
    for _ in 0..3 {
        proxy.cut().await;
        say(&mut connection, b"anybody?").await.unwrap_err();
        let refused = TcpStream::connect(proxy.addr()).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);

        proxy.restore().await;
        connection = TcpStream::connect(proxy.addr()).await.unwrap();
        assert_eq!(say(&mut connection, b"back").await.unwrap(), b"back");
    }
}

#[tokio::test]
async fn a_black_hole_accepts_and_holds_everything_back_until_restored() {
    let (echo, proxy) = echo_behind_proxy().await;
    proxy.black_hole().await;
    let mut silenced = TcpStream::connect(proxy.addr()).await.unwrap();
    silenced.write_all(b"late").await.unwrap();
    // Gives what must not happen a hundred round trips to happen in.
    let mut direct = TcpStream::connect(echo.addr).await.unwrap();
    for _ in 0..100 {
        say(&mut direct, b".").await.unwrap();
    }
    assert_eq!(echo.heard(), [b'.'; 100]);

    proxy.restore().await;
    let mut answer = [0; 4];
    silenced.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"late");
}

#[tokio::test]
async fn a_connection_can_die_before_the_server_hears() {
    let (echo, proxy) = echo_behind_proxy().await;
    let mut connection = TcpStream::connect(proxy.addr()).await.unwrap();
    proxy.arrange(Accident::BeforeServerHears(b"COMMIT".to_vec()));
    say(&mut connection, b"INSERT").await.unwrap();
    say(&mut connection, b"COMMIT").await.unwrap_err();
    proxy.until_accidents(1).await;
    assert_eq!(echo.heard(), b"INSERT");
    commit_on_a_new_connection(&proxy).await;
}

#[tokio::test]
async fn a_connection_can_die_after_the_server_heard_and_before_the_client_learns() {
    let (echo, proxy) = echo_behind_proxy().await;
    let mut connection = TcpStream::connect(proxy.addr()).await.unwrap();
    proxy.arrange(Accident::BeforeClientLearns(b"COMMIT".to_vec()));
    say(&mut connection, b"INSERT").await.unwrap();
    say(&mut connection, b"COMMIT").await.unwrap_err();
    proxy.until_accidents(1).await;
    assert_eq!(echo.heard(), b"INSERTCOMMIT");
    commit_on_a_new_connection(&proxy).await;
}

/// An accident happens once.
async fn commit_on_a_new_connection(proxy: &Proxy) {
    let mut connection = TcpStream::connect(proxy.addr()).await.unwrap();
    assert_eq!(say(&mut connection, b"COMMIT").await.unwrap(), b"COMMIT");
}

#[tokio::test]
async fn a_connection_can_die_in_the_middle_of_an_answer() {
    let (_echo, proxy) = echo_behind_proxy().await;
    let mut connection = TcpStream::connect(proxy.addr()).await.unwrap();
    proxy.arrange(Accident::AfterBytesFromServer(8));
    assert_eq!(say(&mut connection, b"hello").await.unwrap(), b"hello");
    connection.write_all(b"again").await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"aga");
    commit_on_a_new_connection(&proxy).await;
}

#[tokio::test]
async fn a_dropped_proxy_lets_go_of_its_connections() {
    let (_echo, proxy) = echo_behind_proxy().await;
    let mut connection = TcpStream::connect(proxy.addr()).await.unwrap();
    say(&mut connection, b"hello").await.unwrap();
    drop(proxy);
    let mut rest = Vec::new();
    // A reset and an end are both an end to the client; being left waiting is not.
    let _ = connection.read_to_end(&mut rest).await;
    assert_eq!(rest, b"");
}

/// Sends this and returns as much of an answer.
async fn say(connection: &mut TcpStream, words: &[u8]) -> io::Result<Vec<u8>> {
    connection.write_all(words).await?;
    let mut answer = vec![0; words.len()];
    connection.read_exact(&mut answer).await?;
    Ok(answer)
}

struct Echo {
    addr: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
    _serving: JoinSet<()>,
}

impl Echo {
    async fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, Arc::clone(&heard)));
        Self { addr, heard, _serving: serving }
    }

    fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }
}

async fn accept(listener: TcpListener, heard: Arc<Mutex<Vec<u8>>>) {
    let mut connections = JoinSet::new();
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        connections.spawn(echo(connection, Arc::clone(&heard)));
    }
}

async fn echo(mut connection: TcpStream, heard: Arc<Mutex<Vec<u8>>>) -> io::Result<()> {
    let mut buffer = [0; 1024];
    while let length @ 1.. = connection.read(&mut buffer).await? {
        heard.lock().unwrap().extend(&buffer[..length]);
        connection.write_all(&buffer[..length]).await?;
    }
    Ok(())
}

async fn echo_behind_proxy() -> (Echo, Proxy) {
    let echo = Echo::serve().await;
    let proxy = Proxy::to(echo.addr).await.unwrap();
    (echo, proxy)
}
