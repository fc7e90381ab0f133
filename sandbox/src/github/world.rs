//! The repositories of the simulated GitHub, and everything people can do there.
//!
//! A scenario holds the world and acts in it. Acting on something that is not there is a mistake in
//! the scenario, and panics.
//!
//! Time is the world's own. Every act takes one second of it, so a world grown from the same acts is
//! the same to the byte, and two acts never share an instant.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::node::{Id, Node, instant};

/// When a world begins that is not told otherwise.
const FOUNDED_AT: &str = "2024-01-08T09:00:00Z";

#[derive(Clone, Debug)]
pub struct World {
    now: DateTime<Utc>,
    last_id: u64,
    nodes: BTreeMap<Id, Node>,
    /// By the names they have and had, in lower case.
    repositories: BTreeMap<String, Id>,
    /// Repositories that the credential does not see.
    closed: Vec<Id>,
    /// Lists of repositories for which it has no permission.
    closed_lists: Vec<(Id, String)>,
}

impl World {
    pub fn empty() -> Self {
        Self {
            now: FOUNDED_AT.parse().expect("the constant is an instant"),
            last_id: 100_000,
            nodes: BTreeMap::new(),
            repositories: BTreeMap::new(),
            closed: Vec::new(),
            closed_lists: Vec::new(),
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Lets time pass until `now`. It never runs backwards.
    pub fn turn_to(&mut self, now: DateTime<Utc>) {
        self.now = self.now.max(now);
    }

    pub fn node(&self, id: Id) -> &Node {
        self.find(id).unwrap_or_else(|| panic!("there is no {id:?}"))
    }

    pub fn node_mut(&mut self, id: Id) -> &mut Node {
        self.nodes.get_mut(&id).unwrap_or_else(|| panic!("there is no {id:?}"))
    }

    pub fn find(&self, id: Id) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// Oldest first.
    pub fn all(&self, kind: &str) -> impl Iterator<Item = &Node> {
        self.nodes.values().filter(move |node| node.kind == kind)
    }

    /// A repository by a name that it has or had.
    pub fn repository(&self, name: &str) -> Option<&Node> {
        let id = *self.repositories.get(&name.to_lowercase())?;
        self.find(id).filter(|_| self.is_visible(id))
    }

    /// Those that the credential sees. Forks are others' business.
    pub fn repositories(&self) -> impl Iterator<Item = &Node> {
        let own = |node: &&Node| node.lists.contains_key("stargazers") && self.is_visible(node.id);
        self.all("Repository").filter(own)
    }

    pub fn is_visible(&self, repository: Id) -> bool {
        !self.closed.contains(&repository)
    }

    pub fn add_user(&mut self, login: &str) -> Id {
        let user = self.account("User", login);
        let user = user
            .with("name", Value::Null)
            .with("email", "")
            .with_null(&["company", "bio", "location", "websiteUrl", "twitterUsername"])
            .with("isHireable", false)
            .listing(&["followers"]);
        self.put(user)
    }

    pub fn add_bot(&mut self, login: &str) -> Id {
        let bot = self.account("Bot", login);
        self.put(bot)
    }

    pub fn add_mannequin(&mut self, login: &str) -> Id {
        let mannequin = self.account("Mannequin", login);
        self.put(mannequin)
    }

    /// The account that an enterprise gives to one of its people.
    pub fn add_enterprise_account(&mut self, login: &str, of: Id) -> Id {
        let account = self.account("EnterpriseUserAccount", login).linked("user", of);
        self.put(account)
    }

    pub fn add_organization(&mut self, login: &str, name: &str) -> Id {
        let organization = self.account("Organization", login);
        let organization = organization
            .with("name", name)
            .with("description", format!("{name} builds in the open."))
            .with_null(&["email", "location", "websiteUrl", "twitterUsername"]);
        self.put(organization)
    }

    pub fn follow(&mut self, user: Id, by: Id) {
        self.list(user, "followers", by);
    }

    /// Deletes an account: whatever it did is nobody's then.
    pub fn delete_account(&mut self, id: Id) {
        self.nodes.remove(&id).expect("the account to delete exists");
    }

    pub fn rename_account(&mut self, id: Id, login: &str) {
        let account = self.node_mut(id);
        account.set("login", login);
        account.set("url", format!("https://github.com/{login}"));
    }

    fn account(&mut self, kind: &'static str, login: &str) -> Node {
        let id = self.next_id();
        Node::new(id, kind)
            .with("login", login)
            .with("databaseId", id.0)
            .with("url", format!("https://github.com/{login}"))
            .with("avatarUrl", format!("https://avatars.githubusercontent.com/u/{}?v=4", id.0))
    }

    pub fn add_repository(&mut self, owner: &str, name: &str) -> Id {
        let id = self.next_id();
        let branch = self.next_id();
        self.put(Node::new(branch, "Ref").with("name", "main"));
        let repository = Node::new(id, "Repository")
            .with("databaseId", id.0)
            .with("description", format!("The {name} of {owner}"))
            .with_time("createdAt", self.now)
            .linked("owner", None)
            .linked("defaultBranchRef", branch)
            .listing(&["stargazers", "forks", "pullRequests", "issues", "discussions"]);
        self.put(repository);
        self.name(id, owner, name);
        id
    }

    /// The old name leads there as long as no other repository takes it.
    pub fn rename_repository(&mut self, id: Id, owner: &str, name: &str) {
        self.name(id, owner, name);
    }

    fn name(&mut self, id: Id, owner: &str, name: &str) {
        let whole = format!("{owner}/{name}");
        self.repositories.insert(whole.to_lowercase(), id);
        let repository = self.node_mut(id);
        repository.set("name", name);
        repository.set("url", format!("https://github.com/{whole}"));
        repository.set("nameWithOwner", whole);
    }

    pub fn delete_repository(&mut self, id: Id) {
        self.nodes.remove(&id).expect("the repository to delete exists");
        self.repositories.retain(|_, named| *named != id);
    }

    /// From now on the credential does not see it, as if it were not there.
    pub fn close_repository(&mut self, id: Id) {
        self.closed.push(id);
    }

    pub fn reopen_repository(&mut self, id: Id) {
        self.closed.retain(|closed| *closed != id);
    }

    /// From now on the credential may not see this list of it.
    pub fn close_list(&mut self, repository: Id, list: &str) {
        self.closed_lists.push((repository, list.to_owned()));
    }

    pub fn reopen_lists(&mut self) {
        self.closed_lists.clear();
    }

    pub(super) fn shows(&self, of: Id, list: &str) -> bool {
        !self.closed_lists.iter().any(|(id, closed)| *id == of && closed == list)
    }

    pub fn star(&mut self, repository: Id, by: Id) -> Id {
        let id = self.next_id();
        let star = Node::new(id, "StargazerEdge").with_time("starredAt", self.now);
        self.put(star.linked("node", by));
        self.list(repository, "stargazers", id);
        id
    }

    pub fn unstar(&mut self, repository: Id, star: Id) {
        self.unlist(repository, "stargazers", star);
        self.nodes.remove(&star);
    }

    /// Into the account of a person or an organization.
    pub fn fork(&mut self, repository: Id, into: Id) -> Id {
        let id = self.next_id();
        let owner = self.node(into).text("login").to_owned();
        let name = self.node(repository).text("name").to_owned();
        let fork = Node::new(id, "Repository")
            .with("url", format!("https://github.com/{owner}/{name}"))
            .with_time("createdAt", self.now)
            .linked("owner", into);
        self.put(fork);
        self.list(repository, "forks", id);
        id
    }

    /// Puts a node where others can point to it.
    pub(super) fn put(&mut self, node: Node) -> Id {
        let id = node.id;
        self.nodes.insert(id, node);
        id
    }

    pub(super) fn list(&mut self, of: Id, name: &'static str, item: Id) {
        let lists = &mut self.node_mut(of).lists;
        lists.get_mut(name).unwrap_or_else(|| panic!("there is no list {name}")).push(item);
    }

    pub(super) fn unlist(&mut self, of: Id, name: &'static str, item: Id) {
        let lists = &mut self.node_mut(of).lists;
        lists.get_mut(name).expect("the list exists").retain(|listed| *listed != item);
    }

    /// Takes a second.
    pub(super) fn next_id(&mut self) -> Id {
        self.now += TimeDelta::seconds(1);
        self.last_id += 1;
        Id(self.last_id)
    }

    pub(super) fn touch(&mut self, id: Id) {
        let now = instant(self.now);
        self.node_mut(id).values.insert("updatedAt", now);
    }

    pub(super) fn forget(&mut self, id: Id) {
        self.nodes.remove(&id);
    }

    pub(super) fn numbered(&mut self, repository: Id) -> u64 {
        let counted = ["pullRequests", "issues", "discussions"];
        let repository = self.node(repository);
        1 + counted.iter().map(|list| repository.list(list).len() as u64).sum::<u64>()
    }
}
