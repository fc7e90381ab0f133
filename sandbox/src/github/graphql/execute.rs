//! Answering a query, field by field.

use std::collections::HashMap;

use graphql_tools::parser::query::{
    Definition, Field, FragmentDefinition, Selection, SelectionSet, TypeCondition,
};
use serde_json::{Map, Value, json};

use super::Query;
use super::connection::Connection;
use super::values::{argument, is_left_out};
use crate::github::limits::Rate;
use crate::github::node::{Id, Node};
use crate::github::world::World;

pub(super) fn execute(asked: &Query, world: &World, rate: &Rate) -> Value {
    let fragments = asked.document.definitions.iter().filter_map(|definition| match definition {
        Definition::Fragment(fragment) => Some((fragment.name.as_str(), fragment)),
        Definition::Operation(_) => None,
    });
    let mut execution = Execution {
        asked,
        world,
        rate,
        fragments: fragments.collect(),
        path: Vec::new(),
        errors: Vec::new(),
        bubbles: false,
    };
    let operation = asked.operation().expect("it was there when the query was read");
    let data = execution.object(&Object::Query, &operation.selection_set);
    match execution.errors.is_empty() {
        true => json!({ "data": data }),
        // A query that does not fit the schema is not executed at all.
        false if execution.errors.iter().any(|error| error.get("extensions").is_some()) => {
            json!({ "errors": execution.errors })
        }
        false => json!({ "data": data, "errors": execution.errors }),
    }
}

enum Object<'a> {
    Query,
    Rate,
    Node(&'a Node),
    Connection(&'a Connection),
    PageInfo(&'a Connection),
    /// What a search found.
    Hits(Vec<Id>),
}

struct Execution<'a> {
    asked: &'a Query,
    world: &'a World,
    rate: &'a Rate,
    fragments: HashMap<&'a str, &'a FragmentDefinition<'static, String>>,
    path: Vec<Value>,
    errors: Vec<Value>,
    /// Something that is never null is kept back: what it is of is null instead.
    bubbles: bool,
}

impl<'a> Execution<'a> {
    fn object(&mut self, object: &Object<'_>, selections: &SelectionSet<'static, String>) -> Value {
        let mut answer = Map::new();
        self.select(object, selections, &mut answer);
        match std::mem::take(&mut self.bubbles) {
            true => Value::Null,
            false => Value::Object(answer),
        }
    }

    fn select(
        &mut self,
        object: &Object<'_>,
        selections: &SelectionSet<'static, String>,
        answer: &mut Map<String, Value>,
    ) {
        for selection in &selections.items {
            match selection {
                Selection::Field(field) => self.select_field(object, field, answer),
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.fragments.get(spread.fragment_name.as_str()) else {
                        self.misfit(&format!(
                            "Fragment {} was used, but not defined",
                            spread.fragment_name
                        ));
                        continue;
                    };
                    let TypeCondition::On(condition) = &fragment.type_condition;
                    if object.is_a(condition) {
                        self.select(object, &fragment.selection_set, answer);
                    }
                }
                Selection::InlineFragment(inline) => {
                    let applies = inline.type_condition.as_ref().is_none_or(|condition| {
                        let TypeCondition::On(condition) = condition;
                        object.is_a(condition)
                    });
                    if applies {
                        self.select(object, &inline.selection_set, answer);
                    }
                }
            }
        }
    }

    fn select_field(
        &mut self,
        object: &Object<'_>,
        field: &Field<'static, String>,
        answer: &mut Map<String, Value>,
    ) {
        if is_left_out(&field.directives, &self.asked.variables) {
            return;
        }
        let key = field.alias.as_ref().unwrap_or(&field.name).clone();
        self.path.push(json!(key));
        let value = self.field(object, field);
        self.path.pop();
        match (answer.get_mut(&key), value) {
            // Query for twice, with other fields each time.
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (_, value) => drop(answer.insert(key, value)),
        }
    }

    fn field(&mut self, object: &Object<'_>, field: &Field<'static, String>) -> Value {
        match (object, field.name.as_str()) {
            (Object::Query, name) => self.root(name, field),
            (Object::Rate, name) => match self.rate.field(name) {
                Some(value) => value,
                None => self.unknown("RateLimit", name),
            },
            (Object::Node(node), "__typename") => json!(node.kind),
            (Object::Node(node), _) => self.of_node(node, field),
            (Object::Connection(connection), "totalCount") => json!(connection.total),
            (Object::Connection(connection), "pageInfo") => {
                self.object(&Object::PageInfo(connection), &field.selection_set)
            }
            (Object::Connection(connection), "nodes" | "edges") => {
                self.nodes(connection.items.iter().copied().map(Some), field)
            }
            (Object::PageInfo(connection), "hasNextPage") => json!(connection.has_next),
            (Object::PageInfo(connection), "endCursor") => json!(connection.end_cursor),
            (Object::Hits(hits), "nodes") => self.nodes(hits.iter().copied().map(Some), field),
            (_, name) => self.unknown("a connection", name),
        }
    }

    fn root(&mut self, name: &str, field: &Field<'static, String>) -> Value {
        let text = |argument_name| {
            let argument = argument(field, argument_name, &self.asked.variables);
            argument.and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
        };
        match name {
            "rateLimit" => self.object(&Object::Rate, &field.selection_set),
            "node" => {
                let id = text("id");
                let node = self.by_global_id(&id);
                let missing = format!("Could not resolve to a node with the global id of '{id}'");
                self.found(node, field, missing)
            }
            "nodes" => {
                let ids = argument(field, "ids", &self.asked.variables);
                let ids = ids.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
                self.each_of(&ids, field)
            }
            "repository" => {
                let whole = format!("{}/{}", text("owner"), text("name"));
                let repository = self.world.repository(&whole);
                let missing = format!("Could not resolve to a Repository with the name '{whole}'.");
                self.found(repository, field, missing)
            }
            "organization" => {
                let login = text("login");
                let mut all = self.world.all("Organization");
                let found = all.find(|it| it.text("login").eq_ignore_ascii_case(&login));
                let missing =
                    format!("Could not resolve to an Organization with the login of '{login}'.");
                self.found(found, field, missing)
            }
            "search" => {
                let hits = self.search(&text("query"));
                self.object(&Object::Hits(hits), &field.selection_set)
            }
            _ => self.unknown("Query", name),
        }
    }

    fn each_of(&mut self, ids: &[Value], field: &Field<'static, String>) -> Value {
        let mut answers = Vec::new();
        for (index, id) in ids.iter().enumerate() {
            let id = id.as_str().unwrap_or_default();
            let node = self.by_global_id(id);
            self.path.push(json!(index));
            let missing = format!("Could not resolve to a node with the global id of '{id}'");
            answers.push(self.found(node, field, missing));
            self.path.pop();
        }
        json!(answers)
    }

    fn found(
        &mut self,
        node: Option<&Node>,
        field: &Field<'static, String>,
        missing: String,
    ) -> Value {
        match node {
            Some(node) => self.object(&Object::Node(node), &field.selection_set),
            None => {
                let path = self.path.clone();
                let error = json!({ "type": "NOT_FOUND", "path": path, "message": missing });
                self.errors.push(error);
                Value::Null
            }
        }
    }

    fn of_node(&mut self, node: &Node, field: &Field<'static, String>) -> Value {
        let name = field.name.as_str();
        if let Some(value) = node.values.get(name) {
            return value.clone();
        }
        if let Some(link) = node.links.get(name) {
            let to = link.and_then(|id| self.world.find(id));
            return to
                .map_or(Value::Null, |to| self.object(&Object::Node(to), &field.selection_set));
        }
        if !node.lists.contains_key(name) {
            return self.unknown(node.kind, name);
        }
        if !self.world.shows(node.id, name) {
            return self.forbidden();
        }
        match Connection::of(self.world, node, field, &self.asked.variables) {
            Ok(connection) => self.object(&Object::Connection(&connection), &field.selection_set),
            Err(problem) => self.misfit(&problem),
        }
    }

    fn nodes(
        &mut self,
        ids: impl Iterator<Item = Option<Id>>,
        field: &Field<'static, String>,
    ) -> Value {
        let mut answers = Vec::new();
        for (index, id) in ids.enumerate() {
            self.path.push(json!(index));
            let node = id.and_then(|id| self.world.find(id));
            answers.push(node.map_or(Value::Null, |node| {
                self.object(&Object::Node(node), &field.selection_set)
            }));
            self.path.pop();
        }
        json!(answers)
    }

    fn by_global_id(&self, id: &str) -> Option<&'a Node> {
        let number = u64::from_str_radix(id.rsplit_once('_')?.1, 16).ok()?;
        let node = self.world.find(Id(number)).filter(|node| node.global_id() == id)?;
        let repository = if node.kind == "Repository" {
            Some(node.id)
        } else {
            node.links.get("repository").copied().flatten()
        };
        repository.is_none_or(|id| self.world.is_visible(id)).then_some(node)
    }

    /// Of organizations, by a part of their names.
    fn search(&self, query: &str) -> Vec<Id> {
        let Some(wanted) = query.strip_prefix("type:org ") else { return Vec::new() };
        let wanted = wanted.trim_matches('"').to_lowercase();
        let matches = |node: &&Node| {
            ["login", "name"].iter().any(|it| node.text(it).to_lowercase().contains(&wanted))
        };
        self.world.all("Organization").filter(matches).map(|node| node.id).take(1).collect()
    }

    fn unknown(&mut self, kind: &str, name: &str) -> Value {
        self.misfit(&format!("Field '{name}' doesn't exist on type '{kind}'"))
    }

    fn forbidden(&mut self) -> Value {
        const MESSAGE: &str = "Resource not accessible by integration";
        let path = self.path.clone();
        self.errors.push(json!({ "type": "FORBIDDEN", "path": path, "message": MESSAGE }));
        self.bubbles = true;
        Value::Null
    }

    fn misfit(&mut self, message: &str) -> Value {
        let extensions = json!({ "code": "undefinedField" });
        let path = self.path.clone();
        let error = json!({ "path": path, "extensions": extensions, "message": message });
        self.errors.push(error);
        Value::Null
    }
}

impl Object<'_> {
    fn is_a(&self, condition: &str) -> bool {
        match self {
            Self::Node(node) => node.is_a(condition),
            Self::Connection(_) => condition.ends_with("Connection"),
            Self::Query | Self::Rate | Self::PageInfo(_) | Self::Hits(_) => true,
        }
    }
}
