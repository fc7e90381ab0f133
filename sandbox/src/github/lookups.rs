//! The truth a synchronisation is compared with: every activity there is, as it is to be told.

use std::collections::BTreeMap;

use super::node::{Id, Node};
use super::world::World;

/// One activity that a complete synchronisation must have found.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedActivity {
    pub parent: Option<String>,
    pub who: String,
    pub whom: Option<String>,
    pub body: Option<String>,
    /// To the second, with three zeros.
    pub at: String,
    pub score: i16,
    pub channel: Option<String>,
}

/// By type and id.
type Truth = BTreeMap<(String, String), ExpectedActivity>;

impl World {
    /// The whole truth, by type and id.
    pub fn expected_activities(&self) -> BTreeMap<(String, String), ExpectedActivity> {
        let mut account = Account { world: self, truth: Truth::new() };
        for repository in self.repositories() {
            account.repository(repository);
        }
        account.truth
    }
}

fn iso(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

struct Account<'a> {
    world: &'a World,
    truth: Truth,
}

impl<'a> Account<'a> {
    fn repository(&mut self, repository: &Node) {
        let channel = repository.text("url");
        for star in self.nodes(repository, "stargazers") {
            let Some(who) = star.link("node").filter(|who| self.world.find(*who).is_some()) else {
                continue;
            };
            let who = self.who(Some(who));
            let unix = star.at("starredAt").timestamp();
            let id = format!("gen-{}", md5(&format!("{who}-star-{unix}-github")));
            self.note("star", id, star, "starredAt", &who, channel, 2);
        }
        for fork in self.nodes(repository, "forks") {
            let owner = fork.link("owner").and_then(|owner| self.world.find(owner));
            if let Some(owner) = owner.filter(|owner| owner.kind != "Organization") {
                let who = self.who(Some(owner.id));
                self.note("fork", fork.global_id(), fork, "createdAt", &who, channel, 4);
            }
        }
        self.nodes(repository, "pullRequests").iter().for_each(|pull| self.pull(pull, repository));
        self.nodes(repository, "issues").iter().for_each(|issue| self.issue(issue, channel));
        for discussion in self.nodes(repository, "discussions") {
            self.said("discussion-started", discussion, None, channel, 8);
            for comment in self.nodes(discussion, "comments") {
                self.discussed(comment, discussion, channel);
                for reply in self.nodes(comment, "replies") {
                    self.discussed(reply, comment, channel);
                }
            }
        }
    }

    fn discussed(&mut self, comment: &Node, parent: &Node, channel: &str) {
        let score = if comment.value("isAnswer") == true { 8 } else { 6 };
        self.said("discussion-comment", comment, Some(parent), channel, score);
    }

    fn issue(&mut self, issue: &Node, channel: &str) {
        self.said("issues-opened", issue, None, channel, 8);
        for comment in self.nodes(issue, "comments") {
            self.said("issue-comment", comment, Some(issue), channel, 6);
        }
        for event in self.nodes(issue, "timelineItems") {
            if event.kind == "ClosedEvent" {
                self.step("issues-closed", "CE", event, issue, channel, 6);
            }
        }
    }

    fn pull(&mut self, pull: &Node, repository: &Node) {
        let channel = repository.text("url");
        self.said("pull_request-opened", pull, None, channel, 10);
        for comment in self.nodes(pull, "comments") {
            self.said("pull_request-comment", comment, Some(pull), channel, 6);
        }
        for thread in self.nodes(pull, "reviewThreads") {
            for comment in self.nodes(thread, "comments") {
                let kind = "pull_request-review-thread-comment";
                self.said(kind, comment, Some(pull), channel, 6);
            }
        }
        for event in self.nodes(pull, "timelineItems") {
            self.pull_event(event, pull, channel);
        }
        for listed in self.nodes(pull, "commits") {
            let commit = self.world.node(listed.link("commit").expect("a commit"));
            self.commit(commit, pull, repository);
        }
    }

    fn pull_event(&mut self, event: &Node, pull: &Node, channel: &str) {
        match event.kind {
            "MergedEvent" => self.step("pull_request-merged", "ME", event, pull, channel, 6),
            "ClosedEvent" => self.step("pull_request-closed", "CE", event, pull, channel, 8),
            "AssignedEvent" => self.step("pull_request-assigned", "AE", event, pull, channel, 2),
            "ReviewRequestedEvent" => {
                self.step("pull_request-review-requested", "RRE", event, pull, channel, 2);
            }
            "PullRequestReview" if !event.value("submittedAt").is_null() => {
                let who = self.who(event.link("author"));
                let at = iso(event.at("submittedAt"));
                let id = format!("gen-PRR_{}_{who}_{at}", pull.global_id());
                self.note(
                    "pull_request-reviewed",
                    id.clone(),
                    event,
                    "submittedAt",
                    &who,
                    channel,
                    8,
                );
                let noted = self.truth.get_mut(&("pull_request-reviewed".into(), id));
                let noted = noted.expect("it was just noted");
                noted.parent = Some(pull.global_id());
                noted.body = Some(event.text("bodyText").to_owned());
            }
            _ => {}
        }
    }

    fn step(
        &mut self,
        kind: &str,
        prefix: &str,
        event: &Node,
        item: &Node,
        channel: &str,
        score: i16,
    ) {
        let who = self.who(event.link("actor"));
        let at = iso(event.at("createdAt"));
        let of = item.global_id();
        let whom = match event.kind {
            "AssignedEvent" => Some(event.link("assignee")),
            "ReviewRequestedEvent" => Some(event.link("requestedReviewer")),
            _ => None,
        };
        let team = whom.flatten().and_then(|id| self.world.find(id)).filter(|it| it.kind == "Team");
        let (object, whom) = match (whom, team) {
            (_, Some(team)) => (Some(team.text("combinedSlug").to_owned()), None),
            (Some(whom), None) => (Some(self.who(whom)), Some(self.who(whom))),
            (None, None) => (None, None),
        };
        let id = match object {
            Some(object) => format!("gen-{prefix}_{of}_{who}_{object}_{at}"),
            None => format!("gen-{prefix}_{of}_{who}_{at}"),
        };
        self.note(kind, id.clone(), event, "createdAt", &who, channel, score);
        let noted = self.truth.get_mut(&(kind.to_owned(), id)).expect("it was just noted");
        (noted.parent, noted.whom) = (Some(of), whom);
    }

    fn commit(&mut self, commit: &Node, pull: &Node, repository: &Node) {
        let author = self.world.node(commit.link("author").expect("an author"));
        let user = author.link("user").and_then(|user| self.world.find(user));
        let who = user.map_or(author.text("email"), |user| user.text("login")).to_owned();
        let known = ExpectedActivity {
            parent: Some(pull.global_id()),
            who,
            whom: None,
            body: Some(commit.text("message").to_owned()),
            at: iso(commit.at("authoredDate")),
            score: 2,
            channel: Some(repository.text("name").to_owned()),
        };
        self.truth.insert(("authored-commit".to_owned(), commit.text("oid").to_owned()), known);
    }

    fn said(&mut self, kind: &str, node: &Node, parent: Option<&Node>, channel: &str, score: i16) {
        let who = self.who(node.link("author"));
        self.note(kind, node.global_id(), node, "createdAt", &who, channel, score);
        let noted = self.truth.get_mut(&(kind.to_owned(), node.global_id()));
        let noted = noted.expect("it was just noted");
        noted.parent = parent.map(Node::global_id);
        noted.body = Some(node.text("bodyText").to_owned());
    }

    #[expect(clippy::too_many_arguments, reason = "an activity has so many")]
    fn note(
        &mut self,
        kind: &str,
        id: String,
        node: &Node,
        at: &str,
        who: &str,
        channel: &str,
        score: i16,
    ) {
        let known = ExpectedActivity {
            parent: None,
            who: who.to_owned(),
            whom: None,
            body: None,
            at: iso(node.at(at)),
            score,
            channel: Some(channel.to_owned()),
        };
        let before = self.truth.insert((kind.to_owned(), id), known);
        assert!(before.is_none(), "two activities have one id");
    }

    fn who(&self, id: Option<Id>) -> String {
        let Some(account) = id.and_then(|id| self.world.find(id)) else {
            return "ghost".to_owned();
        };
        let login = account.text("login");
        match account.kind {
            "Bot" => format!("{login}[bot]"),
            "Mannequin" => format!("{login}[mannequin]"),
            "EnterpriseUserAccount" => self.who(account.link("user")),
            _ => login.to_owned(),
        }
    }

    fn nodes(&self, of: &Node, list: &str) -> Vec<&'a Node> {
        of.list(list).iter().filter_map(|id| self.world.find(*id)).collect()
    }
}

fn md5(text: &str) -> String {
    use md5::{Digest, Md5};
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
