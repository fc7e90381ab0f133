//! A request's JSON: bounded, decoded strictly, refused by the field's name.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::sdk::Undecodable;

use super::BODY_LIMIT;
use super::problem::{Problem, Type};

pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        check_content_type(request.headers())?;
        let bytes = Bytes::from_request(request, state).await.map_err(unreadable)?;
        let json: Value = serde_json::from_slice(&bytes)
            .map_err(|error| Problem::new(Type::MalformedJson, error.to_string()))?;
        serde_path_to_error::deserialize(json).map(Self).map_err(|error| unfit(error.into()))
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = format!("it was sent as `{essence}`");
    Err(Problem::new(Type::NotSentAsJson, detail))
}

fn unreadable(rejection: BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(Type::TooLarge, format!("at most {BODY_LIMIT} bytes are read"));
    }
    Problem::new(Type::MalformedJson, "the body broke off")
}

fn unfit(error: Undecodable) -> Problem {
    Problem::new(Type::InvalidField, error.to_string()).of(error.field)
}
