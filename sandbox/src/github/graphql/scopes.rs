//! What takes scopes that a personal token may not have. GitHub looks at the fields that a query
//! names, whether or not anything would come of them, and for one that is closed it executes nothing.

use std::collections::BTreeSet;

use graphql_tools::parser::query::{
    Definition, Document, Field, OperationDefinition, Selection, SelectionSet, TypeCondition,
};
use serde_json::{Value, json};

/// Fields of a type, each open to any of these scopes.
const CLOSED: &[(&str, &str, &[&str])] = &[
    ("Team", "combinedSlug", &["read:org", "read:discussion"]),
    ("Team", "name", &["read:org", "read:discussion"]),
    ("User", "email", &["user:email", "read:user"]),
];

/// GitHub's refusals.
pub(super) fn refusals(
    document: &Document<'static, String>,
    granted: &BTreeSet<String>,
) -> Vec<Value> {
    let mut search = Search { granted, refusals: Vec::new() };
    for definition in &document.definitions {
        match definition {
            Definition::Fragment(fragment) => {
                let TypeCondition::On(kind) = &fragment.type_condition;
                search.look_into(&fragment.selection_set, Some(kind));
            }
            Definition::Operation(OperationDefinition::Query(query)) => {
                search.look_into(&query.selection_set, None);
            }
            Definition::Operation(_) => {}
        }
    }
    search.refusals
}

struct Search<'a> {
    granted: &'a BTreeSet<String>,
    refusals: Vec<Value>,
}

impl Search<'_> {
    fn look_into(&mut self, selections: &SelectionSet<'static, String>, kind: Option<&str>) {
        for selection in &selections.items {
            match selection {
                Selection::Field(field) => {
                    self.look_at(field, kind);
                    self.look_into(&field.selection_set, None);
                }
                Selection::InlineFragment(inline) => {
                    let on = inline.type_condition.as_ref();
                    let on = on.map(|TypeCondition::On(kind)| kind.as_str());
                    self.look_into(&inline.selection_set, on.or(kind));
                }
                // Fragments are looked into by themselves.
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn look_at(&mut self, field: &Field<'static, String>, kind: Option<&str>) {
        let closed = CLOSED.iter().find(|(on, name, _)| kind == Some(on) && field.name == *name);
        let Some((_, name, scopes)) = closed else { return };
        if scopes.iter().any(|scope| self.granted.contains(*scope)) {
            return;
        }
        let listed = |scopes: Vec<&str>| format!("['{}']", scopes.join("', '"));
        let message = format!(
            "Your token has not been granted the required scopes to execute this query. The '{name}' \
             field requires one of the following scopes: {}, but your token has only been granted \
             the: {} scopes. Please modify your token's scopes at: https://github.com/settings/tokens.",
            listed(scopes.to_vec()),
            listed(self.granted.iter().map(String::as_str).collect()),
        );
        let (line, column) = (field.position.line, field.position.column);
        self.refusals.push(json!({
            "type": "INSUFFICIENT_SCOPES",
            "locations": [{ "line": line, "column": column }],
            "message": message,
        }));
    }
}
