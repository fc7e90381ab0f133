//! What stands in the URL: ids and queries, refused by name.

use std::error::Error;
use std::fmt::Display;
use std::str::FromStr;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::{Problem, Type};

/// The `{id}` of the path.
pub(super) struct Id<T>(pub(super) T);

impl<S: Send + Sync, T: FromStr<Err: Display>> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| invalid("id", rejection))?;
        text.parse().map(Self).map_err(|error| invalid("id", format!("`{text}` is no id: {error}")))
    }
}

/// What stands behind the question mark.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        query.map(|query| Self(query.0)).map_err(|rejection| refused(&rejection))
    }
}

fn refused(rejection: &QueryRejection) -> Problem {
    // axum wraps it once.
    let inner = rejection.source().and_then(Error::source).or(rejection.source());
    match inner.and_then(<dyn Error>::downcast_ref::<Undecodable>) {
        Some(error) => invalid(&error.path().to_string(), error.inner()),
        None => Problem::new(Type::InvalidParameter, rejection.body_text()),
    }
}

type Undecodable = serde_path_to_error::Error<serde::de::value::Error>;

pub(super) fn invalid(name: &str, why: impl Display) -> Problem {
    Problem::new(Type::InvalidParameter, format!("{name}: {why}")).of(name)
}
