//! What people do in a repository. Whatever is done below an issue, a pull request or a discussion
//! is an update of it.

use serde_json::{Value, json};

use super::node::{Id, Node};
use super::world::World;

/// A step in the life of a pull request or an issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Merge,
    Close,
    Assign(Id),
    RequestReview(Id),
}

impl World {
    pub fn open_issue(&mut self, repository: Id, by: Id, title: &str) -> Id {
        let issue = self.item(repository, "issues", "Issue", by, title);
        let issue = issue.with("state", "OPEN").listing(&["comments", "timelineItems"]);
        self.add_item(repository, "issues", issue)
    }

    pub fn open_pull(&mut self, repository: Id, by: Id, title: &str) -> Id {
        let pull = self.item(repository, "pull", "PullRequest", by, title);
        let pull = pull
            .with("state", "OPEN")
            .with("additions", 12)
            .with("deletions", 5)
            .with("changedFiles", 3)
            .with("authorAssociation", "CONTRIBUTOR")
            .with("baseRefName", "main")
            .listing(&["comments", "timelineItems", "reviewThreads", "commits", "labels"]);
        self.add_item(repository, "pullRequests", pull)
    }

    pub fn start_discussion(&mut self, repository: Id, by: Id, title: &str) -> Id {
        let category = self.next_id();
        let named = Node::new(category, "DiscussionCategory")
            .with("name", "Q&A")
            .with("slug", "q-a")
            .with("emoji", ":pray:")
            .with("isAnswerable", true)
            .with("description", "Ask the community");
        self.put(named);
        let discussion = self.item(repository, "discussions", "Discussion", by, title);
        let discussion = discussion.linked("category", category).listing(&["comments"]);
        self.add_item(repository, "discussions", discussion)
    }

    fn item(
        &mut self,
        repository: Id,
        path: &str,
        kind: &'static str,
        by: Id,
        title: &str,
    ) -> Node {
        let id = self.next_id();
        let number = self.numbered(repository);
        let url = self.node(repository).text("url");
        Node::new(id, kind)
            .with("number", number)
            .with("title", title)
            .with("bodyText", format!("{title}, at length."))
            .with("url", format!("{url}/{path}/{number}"))
            .with_time("createdAt", self.now())
            .with_time("updatedAt", self.now())
            .linked("author", by)
            .linked("repository", repository)
    }

    fn add_item(&mut self, repository: Id, list: &'static str, item: Node) -> Id {
        let id = self.put(item);
        self.list(repository, list, id);
        id
    }

    pub fn label(&mut self, pull: Id, name: &str) {
        let id = self.next_id();
        self.put(Node::new(id, "Label").with("name", name));
        self.list(pull, "labels", id);
        self.touch(pull);
    }

    /// On an issue or a pull request.
    pub fn comment(&mut self, on: Id, by: Id, body: &str) -> Id {
        let comment = self.said("IssueComment", on, by, body);
        let now = self.now();
        let comment = comment.with_time("updatedAt", now).linked("on", on);
        let id = self.put(comment);
        self.list(on, "comments", id);
        self.touch(on);
        id
    }

    pub fn edit_comment(&mut self, id: Id, body: &str) {
        self.next_id();
        self.node_mut(id).set("bodyText", body);
        let on = self.node(id).link("on").expect("a comment is on something");
        self.touch(id);
        self.touch(on);
    }

    /// Moves an issue to another repository, with all that is below it.
    pub fn transfer_issue(&mut self, issue: Id, to: Id) {
        let from = self.node(issue).link("repository").expect("an issue is in a repository");
        self.unlist(from, "issues", issue);
        let number = self.numbered(to);
        let url = format!("{}/issues/{number}", self.node(to).text("url"));
        self.list(to, "issues", issue);
        let id = self.next_id();
        self.put(Node::new(id, "TransferredEvent").with_time("createdAt", self.now()));
        self.list(issue, "timelineItems", id);
        let moved = self.node_mut(issue);
        moved.links.insert("repository", Some(to));
        moved.set("number", number);
        moved.set("url", url);
        self.touch(issue);
    }

    /// Takes an item of a repository away, and all that is below it.
    pub fn delete_item(&mut self, id: Id) {
        let repository = self.node(id).link("repository").expect("an item is in a repository");
        for list in ["issues", "pullRequests", "discussions"] {
            self.unlist(repository, list, id);
        }
        self.forget(id);
    }

    pub fn step(&mut self, item: Id, by: impl Into<Option<Id>>, step: Step) -> Id {
        let id = self.next_id();
        let kind = match step {
            Step::Merge => "MergedEvent",
            Step::Close => "ClosedEvent",
            Step::Assign(_) => "AssignedEvent",
            Step::RequestReview(_) => "ReviewRequestedEvent",
        };
        let url = format!("{}#event-{}", self.node(item).text("url"), id.0);
        let event = Node::new(id, kind).with_time("createdAt", self.now()).with("url", url);
        let event = event.linked("actor", by);
        let event = match step {
            Step::Assign(whom) => event.linked("assignee", whom),
            Step::RequestReview(whom) => event.linked("requestedReviewer", whom),
            Step::Merge | Step::Close => event,
        };
        self.put(event);
        self.list(item, "timelineItems", id);
        match step {
            Step::Merge => self.node_mut(item).set("state", "MERGED"),
            Step::Close if self.node(item).text("state") != "MERGED" => {
                self.node_mut(item).set("state", "CLOSED");
            }
            _ => {}
        }
        self.touch(item);
        id
    }

    pub fn add_team(&mut self, slug: &str, name: &str) -> Id {
        let id = self.next_id();
        self.put(Node::new(id, "Team").with("combinedSlug", slug).with("name", name))
    }

    pub fn review(&mut self, pull: Id, by: Id, body: &str) -> Id {
        let id = self.write_review(pull, by, body);
        let now = self.now();
        let review = self.node_mut(id);
        review.set("state", "APPROVED");
        review.set("submittedAt", super::node::instant(now));
        id
    }

    /// As only its author sees it, before it is submitted.
    pub fn write_review(&mut self, pull: Id, by: Id, body: &str) -> Id {
        let review = self.said("PullRequestReview", pull, by, body);
        let review = review.with("state", "PENDING").with("submittedAt", Value::Null);
        let id = self.put(review);
        self.list(pull, "timelineItems", id);
        self.touch(pull);
        id
    }

    pub fn start_thread(&mut self, pull: Id, by: Id, body: &str) -> Id {
        let id = self.next_id();
        let thread = Node::new(id, "PullRequestReviewThread").linked("pullRequest", pull);
        self.put(thread.listing(&["comments"]));
        self.list(pull, "reviewThreads", id);
        self.reply_in_thread(id, by, body);
        id
    }

    pub fn reply_in_thread(&mut self, thread: Id, by: Id, body: &str) -> Id {
        let pull = self.node(thread).link("pullRequest").expect("a thread is in a pull request");
        let comment = self.said("PullRequestReviewComment", pull, by, body);
        let id = self.put(comment.with("state", "SUBMITTED"));
        self.list(thread, "comments", id);
        self.touch(pull);
        id
    }

    /// By a person, or by an address that belongs to no account.
    pub fn commit(&mut self, pull: Id, by: Result<Id, &str>, message: &str) -> Id {
        let id = self.next_id();
        let author = self.next_id();
        let address = match by {
            Ok(user) => format!("{}@example.com", self.node(user).text("login")),
            Err(address) => address.to_owned(),
        };
        let git = Node::new(author, "GitActor").with("email", address).with("name", "In Git");
        self.put(git.linked("user", by.ok()));
        let commit = Node::new(id, "Commit")
            .with("oid", format!("{:040x}", id.0))
            .with("message", message)
            .with_time("authoredDate", self.now())
            .with("additions", 7)
            .with("deletions", 2)
            .linked("author", author)
            .listing(&["parents"]);
        self.put(commit);
        self.list(id, "parents", pull);
        let listed = self.next_id();
        self.put(Node::new(listed, "PullRequestCommit").linked("commit", id));
        self.list(pull, "commits", listed);
        self.touch(pull);
        id
    }

    pub fn answer(&mut self, discussion: Id, by: Id, body: &str) -> Id {
        let comment = self.said("DiscussionComment", discussion, by, body);
        let comment = comment.with("isAnswer", false).linked("discussion", discussion);
        let id = self.put(comment.listing(&["replies"]));
        self.list(discussion, "comments", id);
        self.touch(discussion);
        id
    }

    pub fn reply(&mut self, comment: Id, by: Id, body: &str) -> Id {
        let discussion = self.node(comment).link("discussion").expect("it is in a discussion");
        let reply = self.said("DiscussionComment", discussion, by, body);
        let reply = reply.with("isAnswer", false).linked("discussion", discussion);
        let id = self.put(reply.listing(&["replies"]));
        self.list(comment, "replies", id);
        self.touch(discussion);
        id
    }

    pub fn choose_answer(&mut self, comment: Id) {
        self.next_id();
        let discussion = self.node(comment).link("discussion").expect("it is in a discussion");
        self.node_mut(comment).set("isAnswer", true);
        self.touch(discussion);
    }

    fn said(&mut self, kind: &'static str, on: Id, by: Id, body: &str) -> Node {
        let id = self.next_id();
        let url = format!("{}#{}", self.node(on).text("url"), id.0);
        Node::new(id, kind)
            .with("bodyText", json!(body))
            .with("url", url)
            .with_time("createdAt", self.now())
            .linked("author", by)
    }
}
