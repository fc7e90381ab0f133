//! What stands before every endpoint: the credential and the limits.

use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;
use chrono::Utc;
use serde_json::json;

use super::credentials::{Bearer, check_claim};
use super::limits::Rate;
use super::routes::{GRAPHQL, error, respond};
use super::{Request, Rules};
use crate::platform::{Incoming, Site, lock};

/// Why a request is not answered.
enum No {
    Unauthorized(&'static str),
    Spent(Rate),
}

/// Brings the endpoint who asks, and what that leaves of the limit. Requests that a limit refuses use
/// up no fault.
pub(super) async fn receive(
    site: &Site<Rules>,
    asked: &Request,
    mut incoming: Incoming,
) -> Response {
    let (mut answer, rate) = match admit(site, asked, &mut incoming) {
        Ok(rate) => (site.answer(asked, incoming).await, rate),
        Err(No::Unauthorized(why)) => {
            (respond(StatusCode::UNAUTHORIZED, &json!({ "message": why })), None)
        }
        Err(No::Spent(rate)) => {
            site.count_refused();
            site.amend(&incoming, |asked| asked.cost = 0);
            (spent_limit(is_query(&incoming)), Some(rate))
        }
    };
    // A scripted refusal has said its own.
    if !answer.headers().contains_key("x-ratelimit-remaining") {
        answer.headers_mut().extend(rate.iter().flat_map(Rate::headers));
    }
    act_after(site, &asked.what);
    answer
}

/// An application has no limit; what it may ask is little.
fn admit(site: &Site<Rules>, asked: &Request, incoming: &mut Incoming) -> Result<Option<Rate>, No> {
    let token = bearer_token(incoming);
    lock(&site.rules.shown).extend(token.map(str::to_owned));
    let token = token.unwrap_or_default();
    if incoming.path().starts_with("/app/installations/") {
        check_claim(token, Utc::now()).map_err(No::Unauthorized)?;
        incoming.bring(Bearer::Application);
        return Ok(None);
    }
    let bearer = lock(&site.rules.tokens).bearer(token);
    incoming.bring(bearer.ok_or(No::Unauthorized("Bad credentials"))?);
    let spent = match is_query(incoming) {
        true => lock(&site.rules.graphql).spend(asked.cost),
        false => lock(&site.rules.core).spend(1),
    };
    let rate = spent.map_err(No::Spent)?;
    incoming.bring(rate.clone());
    Ok(Some(rate))
}

fn bearer_token(incoming: &Incoming) -> Option<&str> {
    incoming.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// 200 for a query, as GraphQL has it.
pub(super) fn spent_limit(is_query: bool) -> Response {
    const SPENT: &str = "API rate limit exceeded for user ID 42.";
    match is_query {
        true => respond(StatusCode::OK, &error(Some("RATE_LIMITED"), SPENT)),
        false => respond(StatusCode::FORBIDDEN, &json!({ "message": SPENT })),
    }
}

pub(super) fn is_query(incoming: &Incoming) -> bool {
    incoming.path() == GRAPHQL
}

fn act_after(site: &Site<Rules>, what: &str) {
    let mut later = lock(&site.rules.later);
    if let Some(at) = later.iter().position(|(awaited, _)| awaited == what) {
        let (_, change) = later.swap_remove(at);
        site.edit(change);
    }
}
