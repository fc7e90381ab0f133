//! How each fault is done.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::response::Parts;
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, future, stream};
use tokio::time::sleep;

use super::faults::Fault;
use super::front::too_many_requests;
use super::routes::error;
use super::wire::Cut;

pub(super) async fn misbehave(
    fault: Fault,
    request: Request,
    next: Next,
    connection: Cut,
) -> Response {
    match fault {
        Fault::Status(status) => error(status),
        Fault::RateLimited(retry_after) => too_many_requests(retry_after),
        Fault::TruncatedJson => truncated(next.run(request).await).await,
        Fault::WrongJson => as_json(Body::from(r#"{"articles":"none","children":7}"#)),
        Fault::Hang => future::pending().await,
        Fault::Redirect(to) => (StatusCode::FOUND, [(LOCATION, to)]).into_response(),
        Fault::HugeBody(bytes) => as_json(huge(bytes)),
        Fault::SlowBytes(pause) => byte_by_byte(next.run(request).await, pause).await,
        Fault::RepeatedPage => next.run(on_first_page(request)).await,
        Fault::CloseConnection => {
            connection.cut();
            // The cut connection takes this request with it.
            future::pending().await
        }
        Fault::BreakOff => broken_off(next.run(request).await).await,
    }
}

async fn truncated(answer: Response) -> Response {
    let (parts, body) = whole(answer).await;
    Response::from_parts(parts, Body::from(first_half(&body)))
}

async fn byte_by_byte(answer: Response, pause: Duration) -> Response {
    let (parts, body) = whole(answer).await;
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

/// The first half goes out before the connection closes, hence the yield between the two.
async fn broken_off(answer: Response) -> Response {
    let (parts, body) = whole(answer).await;
    let end = async {
        tokio::task::yield_now().await;
        Err(io::ErrorKind::ConnectionAborted.into())
    };
    let half = stream::iter([Ok(first_half(&body))]);
    promising(body.len(), parts, half.chain(stream::once(end)))
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

fn huge(bytes: u64) -> Body {
    const CHUNK: &[u8] = &[b' '; 64 * 1024];
    let whole = (0..bytes / CHUNK.len() as u64).map(|_| CHUNK);
    let rest = &CHUNK[..(bytes % CHUNK.len() as u64) as usize];
    let chunks = [&b"["[..]].into_iter().chain(whole).chain([rest, b"]"]);
    let chunks = chunks.map(|chunk| Ok::<_, Infallible>(Bytes::from_static(chunk)));
    Body::from_stream(stream::iter(chunks))
}

fn as_json(body: Body) -> Response {
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

fn on_first_page(mut request: Request) -> Request {
    let uri = request.uri();
    let query = uri.query().unwrap_or_default().split('&');
    let rest: Vec<_> = query.filter(|pair| !pair.starts_with("page=")).collect();
    let first = format!("{}?{}", uri.path(), rest.join("&")).parse::<Uri>();
    *request.uri_mut() = first.expect("an address less one parameter is an address");
    request
}
