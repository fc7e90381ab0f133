//! A request on its way to its endpoint, and what may befall it or its answer on the way.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::http::response::Parts;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{Stream, StreamExt, future, stream};
use tokio::time::sleep;

use super::wire::Cut;

pub struct Incoming {
    pub(super) request: Request,
    pub(super) next: Next,
    pub(super) connection: Cut,
    /// In the log.
    pub(super) number: u64,
}

impl Incoming {
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    pub fn path(&self) -> &str {
        self.request.uri().path()
    }

    /// Gives the endpoint something along, which it takes as an `Extension`.
    pub fn bring<T: Clone + Send + Sync + 'static>(&mut self, it: T) {
        self.request.extensions_mut().insert(it);
    }

    /// What the endpoint says.
    pub async fn answer(self) -> Response {
        self.next.run(self.request).await
    }

    /// As if it had been asked without these parameters: those of a cursor, for the first page.
    pub fn without(mut self, parameters: &[&str]) -> Self {
        let uri = self.request.uri();
        let is_one =
            |pair: &&str| pair.split_once('=').is_some_and(|(name, _)| parameters.contains(&name));
        let query = uri.query().unwrap_or_default().split('&');
        let rest: Vec<_> = query.filter(|pair| !is_one(pair)).collect();
        let first = format!("{}?{}", uri.path(), rest.join("&")).parse::<Uri>();
        *self.request.uri_mut() = first.expect("an address less a parameter is an address");
        self
    }

    /// The true answer up to its middle, as if that were all of it.
    pub async fn truncated(self) -> Response {
        self.edited(first_half).await
    }

    /// The true answer, but for its body.
    pub async fn edited(self, edit: impl FnOnce(&Bytes) -> Bytes) -> Response {
        let (mut parts, body) = whole(self.answer().await).await;
        parts.headers.remove(CONTENT_LENGTH);
        Response::from_parts(parts, Body::from(edit(&body)))
    }

    /// The true answer byte by byte, with this long before each.
    pub async fn byte_by_byte(self, pause: Duration) -> Response {
        let (parts, body) = whole(self.answer().await).await;
        let length = body.len();
        let bytes = stream::iter(0..length).then(move |at| {
            let byte = body.slice(at..=at);
            async move {
                sleep(pause).await;
                Ok(byte)
            }
        });
        promising(length, parts, bytes)
    }

    /// The true answer up to its middle; then the connection closes under it. The first half goes
    /// out before that, hence the yield between the two.
    pub async fn broken_off(self) -> Response {
        let (parts, body) = whole(self.answer().await).await;
        let end = async {
            tokio::task::yield_now().await;
            Err(io::ErrorKind::ConnectionAborted.into())
        };
        let half = stream::iter([Ok(first_half(&body))]);
        promising(body.len(), parts, half.chain(stream::once(end)))
    }

    /// The request is taken, and that is the last that is heard of it.
    pub async fn hang(self) -> Response {
        future::pending().await
    }

    /// The connection is reset instead of an answer, and takes this request with it.
    pub async fn reset(self) -> Response {
        self.connection.cut();
        future::pending().await
    }
}

/// An empty list with this many bytes of white space in it.
pub fn huge(bytes: u64) -> Body {
    const CHUNK: &[u8] = &[b' '; 64 * 1024];
    let whole = (0..bytes / CHUNK.len() as u64).map(|_| CHUNK);
    let rest = &CHUNK[..(bytes % CHUNK.len() as u64) as usize];
    let chunks = [&b"["[..]].into_iter().chain(whole).chain([rest, b"]"]);
    let chunks = chunks.map(|chunk| Ok::<_, Infallible>(Bytes::from_static(chunk)));
    Body::from_stream(stream::iter(chunks))
}

async fn whole(answer: Response) -> (Parts, Bytes) {
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await;
    (parts, body.expect("an answer is in memory before it is sent"))
}

fn first_half(body: &Bytes) -> Bytes {
    body.slice(..body.len() / 2)
}

/// An answer that declares its length, whether or not so much will come.
fn promising(
    length: usize,
    mut parts: Parts,
    body: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> Response {
    parts.headers.insert(CONTENT_LENGTH, length.into());
    Response::from_parts(parts, Body::from_stream(body))
}
