//! What is remembered of a request: the method and its parameters, wherever they stood.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::http::{Method, StatusCode, Uri};

use super::Rules;
use crate::platform::{Ask, Asked};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Such as `conversations.history`.
    pub method: String,
    pub parameters: BTreeMap<String, String>,
    /// `None` while the answer is being made, and for ever where there was none.
    pub status: Option<StatusCode>,
}

impl Request {
    pub(super) fn of(ask: Ask<'_>) -> Self {
        let mut parameters = pairs(&ask.parts.uri);
        if *ask.method() == Method::POST {
            let form = format!("/?{}", String::from_utf8_lossy(ask.body));
            parameters.extend(form.parse().iter().flat_map(pairs));
        }
        let method = ask.path::<Rules>().trim_start_matches('/').to_owned();
        Self { method, parameters, status: None }
    }
}

/// Of what is no list of parameters Slack takes no notice.
fn pairs(uri: &Uri) -> BTreeMap<String, String> {
    Query::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default()
}

impl Asked for Request {
    /// Of a method, and after a space of one with a parameter of this name or value.
    fn asks_for(&self, what: &str) -> bool {
        let (method, word) = what.split_once(' ').unwrap_or((what, ""));
        let mut parameters = self.parameters.iter();
        (method.is_empty() || self.method == method)
            && (word.is_empty() || parameters.any(|(name, value)| name == word || value == word))
    }

    fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }
}
