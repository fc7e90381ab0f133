//! The endpoint where an application renews an access that somebody granted it.

use axum::extract::{Query, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::Rules;
use super::front::json;
use super::oauth::{Refused, Tokens};
use super::problems::Problem;
use crate::platform::{Site, SiteState, lock};

#[derive(Deserialize)]
struct Form {
    grant_type: Option<String>,
    refresh_token: Option<String>,
    client_id: Option<String>,
}

pub(super) async fn give(
    State(site): State<SiteState<Rules>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    renew(&site, &headers, &body).map_or_else(IntoResponse::into_response, |tokens| {
        json(json!({
            "token_type": "bearer",
            "expires_in": tokens.expires_in.num_seconds(),
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "scope": super::oauth::SCOPES.join(" "),
        }))
    })
}

fn renew(site: &Site<Rules>, headers: &HeaderMap, body: &str) -> Result<Tokens, Problem> {
    let Some(Form { grant_type, refresh_token, client_id }) = form(body) else {
        return Err(bad("invalid_request", "The request is no form."));
    };
    if grant_type.as_deref() != Some("refresh_token") {
        return Err(bad("unsupported_grant_type", "Only what is granted is renewed here."));
    }
    // Confidential applications say who they are in the header, public ones in the form.
    let (client_id, secret) = match (basic(headers), client_id) {
        (Some((id, secret)), _) => (id, Some(secret)),
        (None, Some(id)) => (id, None),
        (None, None) => return Err(unknown_client()),
    };
    let refresh_token = refresh_token.unwrap_or_default();
    let renewed =
        lock(&site.rules.grants).renew(&client_id, secret.as_deref(), &refresh_token, site.now());
    renewed.map_err(|refused| match refused {
        Refused::Client => unknown_client(),
        Refused::Grant => bad("invalid_grant", "The refresh token was used or revoked."),
        Refused::Token => bad("invalid_request", "Value passed for the token was invalid."),
    })
}

fn form(body: &str) -> Option<Form> {
    let query: Uri = format!("/?{body}").parse().ok()?;
    Query::try_from_uri(&query).ok().map(|Query(form)| form)
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let said = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let said = String::from_utf8(BASE64_STANDARD.decode(said).ok()?).ok()?;
    let (id, secret) = said.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn bad(error: &str, description: &str) -> Problem {
    Problem::oauth(StatusCode::BAD_REQUEST, error, description)
}

fn unknown_client() -> Problem {
    let said = "Missing valid authorization header";
    Problem::oauth(StatusCode::UNAUTHORIZED, "unauthorized_client", said)
}
