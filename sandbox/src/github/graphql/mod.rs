//! The GraphQL endpoint: reads a query, says what it costs, and answers it from the world.
//!
//! Any query over the fields that the world has is answered, with aliases, fragments, variables and
//! `@include`; a field it has not is an error, as on GitHub. What GitHub's schema allows beyond that
//! is not known here: whoever sends queries holds them against the schema in a test.

mod connection;
mod cost;
mod execute;
mod scopes;
mod values;

use std::collections::BTreeSet;

use graphql_tools::parser::query::{
    Definition, Document, OperationDefinition, Query as QueryNode, parse_query,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::limits::Rate;
use super::world::World;

pub use cost::cost;

#[derive(Deserialize)]
pub(super) struct Body {
    query: String,
    #[serde(default)]
    variables: Map<String, Value>,
}

/// A query that can be read, with its variables.
#[derive(Clone)]
pub(super) struct Query {
    document: Document<'static, String>,
    variables: Map<String, Value>,
}

impl Query {
    /// In GitHub's words, what is wrong with the query.
    pub(super) fn read(body: &[u8]) -> Result<Self, Value> {
        let body: Body =
            serde_json::from_slice(body).map_err(|_| problem("Problems parsing JSON"))?;
        let document = parse_query::<String>(&body.query)
            .map_err(|error| problem(&format!("Expected a query: {error}")))?;
        let query = Self { document: document.into_static(), variables: body.variables };
        match query.operation() {
            Some(_) => Ok(query),
            None => Err(problem("A query attribute must be specified and must be a string.")),
        }
    }

    pub(super) fn name(&self) -> String {
        let name = self.operation().and_then(|operation| operation.name.clone());
        name.unwrap_or_else(|| "anonymous".to_owned())
    }

    pub(super) fn variables(&self) -> Value {
        Value::Object(self.variables.clone())
    }

    pub(super) fn cost(&self) -> u32 {
        cost::of(&self.document, &self.variables)
    }

    /// What GitHub answers instead, to a token with these scopes only.
    pub(super) fn refused(&self, scopes: &BTreeSet<String>) -> Option<Value> {
        let refusals = scopes::refusals(&self.document, scopes);
        (!refusals.is_empty()).then(|| json!({ "errors": refusals }))
    }

    pub(super) fn execute(&self, world: &World, rate: &Rate) -> Value {
        execute::execute(self, world, rate)
    }

    fn operation(&self) -> Option<&QueryNode<'static, String>> {
        self.document.definitions.iter().find_map(|definition| match definition {
            Definition::Operation(OperationDefinition::Query(query)) => Some(query),
            _ => None,
        })
    }
}

fn problem(message: &str) -> Value {
    json!({ "errors": [{ "message": message }] })
}
