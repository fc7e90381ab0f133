//! What stands before every endpoint: the token and the limits.

use std::time::SystemTime;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use super::limits::By;
use super::refusals::{UNAUTHORIZED, too_many_requests};
use super::{Request, Rules, TOKEN};
use crate::platform::{Incoming, Site, lock};

/// Requests that the limits refuse use up no fault.
pub(super) async fn receive(site: &Site<Rules>, asked: &Request, incoming: Incoming) -> Response {
    if !is_ours(incoming.headers()) {
        return UNAUTHORIZED.into_response();
    }
    let bucket = Bucket::of(&asked.path);
    let admission = lock(&site.rules.limiter).admit(&bucket.key, Instant::now());
    let mut answer = match admission.refused {
        Some(by) => {
            site.count_refused();
            too_many_requests(admission.reset_after.as_secs_f64(), by == By::Global)
        }
        None => site.answer(asked, incoming).await,
    };
    // A scripted refusal has said its own.
    if !answer.headers().contains_key(RETRY_AFTER) {
        answer.headers_mut().extend(admission.headers(&bucket.name, epoch_seconds()));
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
