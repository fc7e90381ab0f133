//! Pages of lists, as GitHub cuts them: a cursor remembers where its item stands in the order, not
//! which page it was on, so that what moves meanwhile moves nothing else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use graphql_tools::parser::query::Field;
use serde_json::Value;

use super::values::{Variables, argument};
use crate::github::node::{Id, Node};
use crate::github::world::World;

pub(super) struct Connection {
    pub(super) items: Vec<Id>,
    pub(super) total: usize,
    pub(super) has_next: bool,
    pub(super) end_cursor: Option<String>,
}

type Key = (String, u64);

impl Connection {
    /// Or what GitHub says instead.
    pub(super) fn of(
        world: &World,
        node: &Node,
        field: &Field<'static, String>,
        variables: &Variables,
    ) -> Result<Self, String> {
        let name = field.name.as_str();
        let first = argument(field, "first", variables).and_then(|first| first.as_u64());
        if first.is_some_and(|first| !(1..=100).contains(&first)) {
            return Err(format!(
                "Requesting records on the `{name}` connection: `first` is 1 to 100"
            ));
        }
        let order = Order::of(field, variables)?;
        let ids = node.lists.get(name).into_iter().flatten();
        let mut items: Vec<_> = ids.filter_map(|id| listed(world, *id)).collect();
        let total = items.len();
        items.retain(|item| is_asked_for(item, field, variables));
        items.sort_by_key(|item| order.key(item));
        if order.descending {
            items.reverse();
        }
        if let Some(after) = argument(field, "after", variables) {
            let after = decoded(after.as_str().unwrap_or_default())
                .ok_or_else(|| format!("`{after}` does not appear to be a valid cursor."))?;
            items.retain(|item| order.is_after(&order.key(item), &after));
        }
        let size = first.map_or(items.len(), |first| first as usize);
        let has_next = items.len() > size;
        items.truncate(size);
        let end_cursor = items.last().map(|last| encoded(&order.key(last)));
        Ok(Self { items: items.iter().map(|item| item.id).collect(), total, has_next, end_cursor })
    }
}

struct Order {
    by: Option<&'static str>,
    descending: bool,
}

impl Order {
    fn of(field: &Field<'static, String>, variables: &Variables) -> Result<Self, String> {
        let Some(order) = argument(field, "orderBy", variables) else {
            return Ok(Self { by: None, descending: false });
        };
        let by = match order["field"].as_str() {
            Some("UPDATED_AT") => "updatedAt",
            Some("CREATED_AT") => "createdAt",
            Some("STARRED_AT") => "starredAt",
            _ => return Err(format!("Argument 'orderBy' has an invalid value ({order}).")),
        };
        Ok(Self { by: Some(by), descending: order["direction"] == "DESC" })
    }

    fn key(&self, item: &Node) -> Key {
        (self.by.map(|by| item.text(by).to_owned()).unwrap_or_default(), item.id.0)
    }

    fn is_after(&self, item: &Key, cursor: &Key) -> bool {
        if self.descending { item < cursor } else { item > cursor }
    }
}

/// What belonged to a deleted account alone is gone with it.
fn listed(world: &World, id: Id) -> Option<&Node> {
    let item = world.find(id)?;
    let whose = match item.kind {
        "StargazerEdge" => item.link("node"),
        "Repository" => item.link("owner"),
        _ => return Some(item),
    };
    whose.and_then(|whose| world.find(whose)).map(|_| item)
}

fn is_asked_for(item: &Node, field: &Field<'static, String>, variables: &Variables) -> bool {
    let types = argument(field, "itemTypes", variables);
    let types = types.as_ref().and_then(Value::as_array);
    let of_type = types.is_none_or(|types| types.iter().any(|it| it == item_type(item.kind)));
    let since = argument(field, "since", variables);
    let since: Option<DateTime<Utc>> =
        since.as_ref().and_then(Value::as_str).and_then(|since| since.parse().ok());
    of_type && since.is_none_or(|since| item.at("createdAt") >= since)
}

fn item_type(kind: &str) -> &str {
    match kind {
        "PullRequestReview" => "PULL_REQUEST_REVIEW",
        "MergedEvent" => "MERGED_EVENT",
        "ClosedEvent" => "CLOSED_EVENT",
        "TransferredEvent" => "TRANSFERRED_EVENT",
        "AssignedEvent" => "ASSIGNED_EVENT",
        "ReviewRequestedEvent" => "REVIEW_REQUESTED_EVENT",
        other => other,
    }
}

fn encoded((by, id): &Key) -> String {
    STANDARD.encode(format!("cursor:v2:{by}|{id}"))
}

fn decoded(cursor: &str) -> Option<Key> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    let (by, id) = text.strip_prefix("cursor:v2:")?.rsplit_once('|')?;
    Some((by.to_owned(), id.parse().ok()?))
}
