//! What is remembered of a request: of a query its name and variables, else the path and parameters.

use std::collections::BTreeMap;

use axum::extract::Query as Parameters;
use axum::http::{StatusCode, Uri};
use serde_json::{Value, json};

use super::graphql::Query;
use super::routes::GRAPHQL;
use crate::platform::{Ask, Asked};

#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The name of a query, or a path: `Pulls`, `/installation/repositories`.
    pub what: String,
    /// Of a query its variables, else the parameters.
    pub with: Value,
    /// `None` while the answer is being made, and for ever where there was none.
    pub status: Option<StatusCode>,
    /// Points that the query took.
    pub cost: u32,
}

impl Request {
    pub(super) fn of(ask: Ask<'_>) -> Self {
        let uri = &ask.parts.uri;
        let query = Query::read(ask.body).ok().filter(|_| uri.path() == GRAPHQL);
        match query {
            Some(query) => Self {
                what: query.name(),
                with: query.variables(),
                status: None,
                cost: query.cost(),
            },
            None => {
                Self { what: uri.path().to_owned(), with: parameters(uri), status: None, cost: 0 }
            }
        }
    }

    /// How many items a query asks for, where that is a variable.
    pub(super) fn size(&self) -> Option<u64> {
        self.with.get("size")?.as_u64()
    }
}

/// Of what is no list of parameters GitHub takes no notice.
fn parameters(uri: &Uri) -> Value {
    let parameters = Parameters::<BTreeMap<String, String>>::try_from_uri(uri);
    parameters.map_or_else(|_| json!({}), |Parameters(parameters)| json!(parameters))
}

impl Asked for Request {
    fn asks_for(&self, what: &str) -> bool {
        what.is_empty() || self.what == what
    }

    fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }
}
