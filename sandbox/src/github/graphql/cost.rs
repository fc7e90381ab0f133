//! GitHub's formula: one request for each connection, times the items that it is inside of, supposing
//! that every list is full; all of it divided by a hundred and rounded, at least one.

use std::collections::HashMap;

use graphql_tools::parser::query::{
    Definition, Document, Field, OperationDefinition, Selection, SelectionSet, parse_query,
};
use serde_json::{Map, Value};

use super::values::{Variables, argument, is_left_out};

/// What a query costs with these variables, in points. Panics if it is none.
pub fn cost(query: &str, variables: &Map<String, Value>) -> u32 {
    let document = parse_query::<String>(query).expect("a query");
    of(&document.into_static(), variables)
}

pub(super) fn of(document: &Document<'static, String>, variables: &Variables) -> u32 {
    let mut fragments = HashMap::new();
    let mut operation = None;
    for definition in &document.definitions {
        match definition {
            Definition::Fragment(fragment) => {
                fragments.insert(fragment.name.as_str(), &fragment.selection_set);
            }
            Definition::Operation(OperationDefinition::Query(query)) => {
                operation = Some(&query.selection_set);
            }
            Definition::Operation(_) => {}
        }
    }
    let bill = Bill { fragments, variables };
    let requests = operation.map_or(0, |selections| bill.requests(selections, 1));
    u32::try_from((requests + 50) / 100).unwrap_or(u32::MAX).max(1)
}

struct Bill<'a> {
    fragments: HashMap<&'a str, &'a SelectionSet<'static, String>>,
    variables: &'a Variables,
}

impl Bill<'_> {
    fn requests(&self, selections: &SelectionSet<'static, String>, inside_of: u64) -> u64 {
        let of = |selection: &Selection<'static, String>| match selection {
            Selection::Field(field) if is_left_out(&field.directives, self.variables) => 0,
            Selection::Field(field) => self.of_field(field, inside_of),
            Selection::FragmentSpread(spread) => {
                let fragment = self.fragments.get(spread.fragment_name.as_str());
                fragment.map_or(0, |selections| self.requests(selections, inside_of))
            }
            Selection::InlineFragment(inline) => self.requests(&inline.selection_set, inside_of),
        };
        selections.items.iter().map(of).sum()
    }

    fn of_field(&self, field: &Field<'static, String>, inside_of: u64) -> u64 {
        let number = |name: &str| argument(field, name, self.variables)?.as_u64();
        let many = argument(field, "ids", self.variables)
            .and_then(|ids| ids.as_array().map(|ids| ids.len() as u64));
        let inside = inside_of * number("first").or_else(|| number("last")).or(many).unwrap_or(1);
        let below = self.requests(&field.selection_set, inside);
        below + if self.is_connection(&field.selection_set) { inside_of } else { 0 }
    }

    fn is_connection(&self, selections: &SelectionSet<'static, String>) -> bool {
        selections.items.iter().any(|selection| match selection {
            Selection::Field(field) => {
                matches!(field.name.as_str(), "totalCount" | "pageInfo" | "nodes" | "edges")
            }
            Selection::FragmentSpread(spread) => self
                .fragments
                .get(spread.fragment_name.as_str())
                .is_some_and(|selections| self.is_connection(selections)),
            Selection::InlineFragment(inline) => self.is_connection(&inline.selection_set),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::cost;

    /// GitHub's own example: 5,101 requests.
    #[test]
    fn the_example_of_githubs_documentation_costs_what_it_says() {
        let query = "query { viewer { login repositories(first: 100) { edges { node { id
            issues(first: 50) { edges { node { id
                labels(first: 60) { edges { node { id name } } } } } } } } } } }";
        assert_eq!(cost(query, &Map::new()), 51);
    }

    #[test]
    fn nothing_is_for_nothing() {
        assert_eq!(cost("query { viewer { login } }", &Map::new()), 1);
    }
}
