//! Everything on GitHub is a node of one graph: it has values, it points to other nodes, and it has
//! lists of them. Which of these a node has is decided where it is made; the names are the schema's.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

/// Numbers are never used twice, whatever they number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u64);

#[derive(Clone, Debug)]
pub struct Node {
    pub id: Id,
    /// The type in the schema.
    pub kind: &'static str,
    pub(super) values: BTreeMap<&'static str, Value>,
    pub(super) links: BTreeMap<&'static str, Option<Id>>,
    pub(super) lists: BTreeMap<&'static str, Vec<Id>>,
}

impl Node {
    pub(super) fn new(id: Id, kind: &'static str) -> Self {
        let mut node = Self {
            id,
            kind,
            values: BTreeMap::new(),
            links: BTreeMap::new(),
            lists: BTreeMap::new(),
        };
        node.set("id", node.global_id());
        node
    }

    /// The id that the API gives it.
    pub fn global_id(&self) -> String {
        format!("{}_{:x}", prefix(self.kind), self.id.0)
    }

    pub fn value(&self, name: &str) -> &Value {
        self.values.get(name).unwrap_or_else(|| panic!("{} has no value {name}", self.kind))
    }

    pub fn text(&self, name: &str) -> &str {
        self.value(name).as_str().unwrap_or_else(|| panic!("{}.{name} is no text", self.kind))
    }

    pub fn at(&self, name: &str) -> DateTime<Utc> {
        self.text(name).parse().unwrap_or_else(|_| panic!("{}.{name} is no instant", self.kind))
    }

    pub fn link(&self, name: &str) -> Option<Id> {
        *self.links.get(name).unwrap_or_else(|| panic!("{} has no link {name}", self.kind))
    }

    pub fn list(&self, name: &str) -> &[Id] {
        self.lists.get(name).unwrap_or_else(|| panic!("{} has no list {name}", self.kind))
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.values.insert(name, value.into());
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    pub(super) fn with_null(mut self, names: &[&'static str]) -> Self {
        names.iter().for_each(|name| self.set(name, Value::Null));
        self
    }

    pub(super) fn with_time(self, name: &'static str, at: DateTime<Utc>) -> Self {
        self.with(name, instant(at))
    }

    pub(super) fn linked(mut self, name: &'static str, to: impl Into<Option<Id>>) -> Self {
        self.links.insert(name, to.into());
        self
    }

    pub(super) fn listing(mut self, names: &[&'static str]) -> Self {
        names.iter().for_each(|name| drop(self.lists.insert(name, Vec::new())));
        self
    }

    pub(super) fn is_account(&self) -> bool {
        ACTORS.contains(&self.kind)
    }

    /// Whether a fragment on this type or interface is about it.
    pub(super) fn is_a(&self, condition: &str) -> bool {
        match condition {
            "Actor" => self.is_account(),
            "RepositoryOwner" => matches!(self.kind, "User" | "Organization"),
            "Node" => true,
            kind => kind == self.kind,
        }
    }
}

const ACTORS: &[&str] = &["Bot", "EnterpriseUserAccount", "Mannequin", "Organization", "User"];

/// As in GitHub's ids of today.
fn prefix(kind: &str) -> &'static str {
    match kind {
        "User" => "U",
        "Bot" => "BOT",
        "Mannequin" => "M",
        "Organization" => "O",
        "EnterpriseUserAccount" => "EUA",
        "Repository" => "R",
        "PullRequest" => "PR",
        "Issue" => "I",
        "IssueComment" => "IC",
        "Discussion" => "D",
        "DiscussionComment" => "DC",
        "PullRequestReviewThread" => "PRRT",
        "PullRequestReviewComment" => "PRRC",
        "PullRequestReview" => "PRR",
        _ => "N",
    }
}

/// To the second, as GitHub writes them.
pub(super) fn instant(at: DateTime<Utc>) -> Value {
    json!(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}
