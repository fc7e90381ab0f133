//! What a platform may do to us, row by row. Answers come from `wiremock`; what no HTTP library
//! would say is written byte by byte onto a socket.

mod access;
mod bodies;
mod connections;
mod counts;
mod links;
mod refusals;
mod requests;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::sdk::Result;

#[derive(Debug, Deserialize, PartialEq)]
struct Comment {
    id: u64,
    author: Author,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Author {
    name: String,
}

const COMMENT: &str = r#"{"id": 7, "author": {"name": "Ada"}}"#;

fn ada() -> Comment {
    Comment { id: 7, author: Author { name: "Ada".into() } }
}

fn noon() -> DateTime<Utc> {
    "2024-05-01T12:00:00Z".parse().expect("an instant")
}

fn options() -> Options {
    Options { body_limit: 4096, clock: Clock::standing_at(noon()), ..Options::default() }
}

fn client_of(base: &str) -> ApiClient {
    ApiClient::with("forum", base, options()).expect("a client")
}

/// A platform that gives this answer to every GET of `comments/7`.
async fn platform(answer: ResponseTemplate) -> (MockServer, ApiClient) {
    let server = MockServer::start().await;
    Mock::given(method("GET")).and(path("comments/7")).respond_with(answer).mount(&server).await;
    let client = client_of(&server.uri());
    (server, client)
}

async fn comment_from(client: &ApiClient) -> Result<Answer<Comment>> {
    client.get("comments/7").json().await
}

/// A platform whose n-th connection (from 0) is served by `serve`, after its request was read.
async fn socket<F>(serve: impl Fn(usize, TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        for connection in 0.. {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            read_head(&mut stream).await;
            tokio::spawn(serve(connection, stream));
        }
    });
    format!("http://{address}")
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read_buf(&mut head).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// The head of a JSON answer, with these lines besides.
fn head(lines: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{lines}\r\n\r\n")
}

async fn say(stream: &mut TcpStream, bytes: impl AsRef<[u8]>) {
    // The client may have gone already, which is what some of these tests are about.
    stream.write_all(bytes.as_ref()).await.ok();
}

/// Keeps the connection open and silent until the client goes.
async fn fall_silent(mut stream: TcpStream) {
    stream.read_to_end(&mut Vec::new()).await.ok();
}

fn retry_after<T: std::fmt::Debug>(outcome: Result<T>) -> Duration {
    match outcome {
        Err(SyncError::RateLimited { retry_after }) => retry_after,
        other => panic!("expected a rate limit, not {other:?}"),
    }
}

/// The class of an outcome and its whole text, as a log would show it.
fn said<T: std::fmt::Debug>(outcome: Result<T>) -> String {
    match outcome {
        Ok(answer) => format!("ok: {answer:?}"),
        Err(SyncError::RateLimited { retry_after }) => format!("rate limited: {retry_after:?}"),
        Err(over @ SyncError::OverQuota { .. }) => format!("over quota: {over}"),
        Err(SyncError::Unauthorized(error)) => format!("unauthorized: {error:#}"),
        Err(SyncError::Permanent(error)) => format!("permanent: {error:#}"),
        Err(SyncError::Other(error)) => format!("other: {error:#}"),
    }
}
