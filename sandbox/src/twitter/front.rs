//! What stands before every endpoint: the time, the token and the rate limit.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, DATE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::community::Community;
use super::limits::Class;
use super::oauth::Bearer;
use super::problems::Problem;
use super::{Request, Rules};
use crate::platform::{Incoming, Site, Tally, lock};

/// How time passes between the acts of a community.
#[derive(Clone, Copy)]
pub(super) enum Passing {
    /// So much at every request.
    ByRequests(TimeDelta),
    /// As it does for everybody.
    Really,
}

impl Default for Passing {
    fn default() -> Self {
        Self::ByRequests(TimeDelta::zero())
    }
}

impl Site<Rules> {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.look(Community::now)
    }

    fn let_time_pass(&self) {
        let passing = *lock(&self.rules.time);
        match passing {
            Passing::ByRequests(each) if each.is_zero() => {}
            Passing::ByRequests(each) => self.edit(|community| community.pass(each)),
            Passing::Really => self.edit(|community| community.turn_to(Utc::now())),
        }
    }
}

pub(super) async fn receive(site: &Site<Rules>, asked: &Request, incoming: Incoming) -> Response {
    site.let_time_pass();
    let mut answer = site.answer(asked, incoming).await;
    // The instant of a reset means something only beside the time that the platform thinks it is.
    let date = site.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = date.parse() {
        answer.headers_mut().insert(DATE, date);
    }
    answer
}

/// Answers a request that carries a good token within its limit: with what the look at the community
/// found.
pub(super) fn answer(
    site: &Site<Rules>,
    headers: &HeaderMap,
    class: Class,
    scopes: &[&str],
    look: impl FnOnce(&Community, &Bearer) -> Result<Value, Problem>,
) -> Response {
    let now = site.now();
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    let bearer = token.and_then(|token| lock(&site.rules.grants).bearer(token, now));
    let Some(bearer) = bearer else { return Problem::unauthorized().into_response() };
    let tally = lock(&site.rules.limits).admit(bearer.user, class, now);
    let outcome = match (tally.admitted, bearer.may(scopes)) {
        (false, _) => {
            site.count_refused();
            Err(Problem::too_many_requests())
        }
        (true, false) => Err(Problem::forbidden()),
        (true, true) => site.look(|community| look(community, &bearer)),
    };
    let mut answer = outcome.map_or_else(IntoResponse::into_response, json);
    tell(tally, answer.headers_mut());
    answer
}

pub(super) fn json(body: Value) -> Response {
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}

fn tell(tally: Tally<DateTime<Utc>>, headers: &mut HeaderMap) {
    let said: [(&str, HeaderValue); 3] = [
        ("x-rate-limit-limit", tally.limit.into()),
        ("x-rate-limit-remaining", tally.remaining().into()),
        ("x-rate-limit-reset", tally.closes_at.timestamp().into()),
    ];
    for (name, value) in said {
        headers.insert(axum::http::HeaderName::from_static(name), value);
    }
}
