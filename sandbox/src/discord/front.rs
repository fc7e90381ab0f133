//! What stands before every endpoint: the log, the latency, the token, the limits and the scripted
//! faults.

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::faults::Fault;
use super::limits::By;
use super::refusals::{Refusal, UNAUTHORIZED};
use super::site::Site;
use super::{TOKEN, requests};

/// Every request passes here, and leaves its answer's status in the log.
pub(super) async fn receive(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let asked = requests::Request::to(request.uri());
    let number = site.requests().arrived(asked.clone());
    let latency = site.latency();
    if !latency.is_zero() {
        sleep(latency).await;
    }
    let answer = answer(&site, &asked, request, next).await;
    site.requests().answered(number, answer.status());
    answer
}

async fn answer(site: &Site, asked: &requests::Request, request: Request, next: Next) -> Response {
    if !is_ours(request.headers()) {
        return UNAUTHORIZED.into_response();
    }
    let bucket = Bucket::of(&asked.path);
    let admission = site.limiter().admit(&bucket.key, Instant::now());
    let headers = admission.headers(&bucket.name, epoch_seconds());
    let mut answer = match admission.refused {
        Some(by) => {
            let seconds = admission.reset_after.as_secs_f64();
            too_many_requests(seconds, by == By::Global)
        }
        None => {
            let fault = site.script().take(asked);
            match fault {
                Some(fault) => misbehave(fault, request, next).await,
                None => next.run(request).await,
            }
        }
    };
    // A scripted refusal has said its own.
    if !answer.headers().contains_key(RETRY_AFTER) {
        answer.headers_mut().extend(headers);
    }
    answer
}

fn is_ours(headers: &HeaderMap) -> bool {
    let expected = format!("Bot {TOKEN}");
    headers.get(AUTHORIZATION).is_some_and(|value| value.as_bytes() == expected.as_bytes())
}

/// A bucket has a name, the same in all guilds and channels; each of those has its own of it.
struct Bucket {
    name: String,
    key: String,
}

impl Bucket {
    fn of(path: &str) -> Self {
        let is_id = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
        let route: Vec<_> =
            parts.iter().map(|part| if is_id(part) { "id" } else { part }).collect();
        let major = parts.get(1).filter(|part| is_id(part)).copied().unwrap_or_default();
        let name = route.join("-").replace('@', "");
        Self { key: format!("{name}:{major}"), name }
    }
}

fn epoch_seconds() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

async fn misbehave(fault: Fault, mut request: Request, next: Next) -> Response {
    match fault {
        Fault::Status(status) => Refusal::of(status).into_response(),
        Fault::RateLimited { seconds, global } => {
            let mut answer = too_many_requests(seconds as f64, global);
            let headers = answer.headers_mut();
            headers.insert(RETRY_AFTER, seconds.into());
            if global {
                headers.insert("x-ratelimit-global", "true".parse().expect("a word"));
            }
            answer
        }
        Fault::WrongJson => json_answer(json!({"threads": 7, "messages": "none"}).to_string()),
        Fault::TruncatedJson => truncated(next.run(request).await).await,
        Fault::FirstPage => {
            *request.uri_mut() = without_cursor(request.uri());
            next.run(request).await
        }
    }
}

async fn truncated(answer: Response) -> Response {
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("an answer is in memory before it is sent");
    Response::from_parts(parts, Body::from(body.slice(..body.len() / 2)))
}

fn without_cursor(uri: &Uri) -> Uri {
    let is_cursor = |pair: &&str| pair.starts_with("before=") || pair.starts_with("after=");
    let query = uri.query().unwrap_or_default().split('&');
    let rest: Vec<_> = query.filter(|pair| !is_cursor(pair)).collect();
    let first = format!("{}?{}", uri.path(), rest.join("&")).parse();
    first.expect("an address less one parameter is an address")
}

fn too_many_requests(seconds: f64, global: bool) -> Response {
    let body = json!({
        "message": "You are being rate limited.", "retry_after": seconds, "global": global,
    });
    (StatusCode::TOO_MANY_REQUESTS, json_answer(body.to_string())).into_response()
}

pub(super) fn json_answer(body: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
