//! Pull requests, and what is below them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};

use super::{Comment, Connection, Count, Event, Named, Nothing, Person, Shown};

/// What every activity below a pull request tells of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct PullHead {
    pub(in super::super) id: String,
    pub(in super::super) title: String,
    pub(in super::super) url: String,
    pub(in super::super) state: String,
    pub(in super::super) additions: u64,
    pub(in super::super) deletions: u64,
    pub(in super::super) changed_files: u64,
    pub(in super::super) author_association: String,
    pub(in super::super) base_ref_name: String,
    pub(in super::super) labels: Option<Labels>,
    pub(in super::super) repository: PullPlace,
}

#[derive(Clone, Debug, Deserialize)]
pub(in super::super) struct Labels {
    pub(in super::super) nodes: Option<Vec<Option<Named>>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct PullPlace {
    pub(in super::super) url: String,
    pub(in super::super) name: String,
    pub(in super::super) default_branch_ref: Option<Named>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Pull {
    #[serde(flatten)]
    pub(in super::super) head: PullHead,
    pub(in super::super) body_text: String,
    pub(in super::super) created_at: DateTime<Utc>,
    pub(in super::super) updated_at: DateTime<Utc>,
    pub(in super::super) author: Option<Person>,
    pub(in super::super) comments: Connection<Comment>,
    pub(in super::super) timeline_items: Connection<PullEvent>,
    pub(in super::super) review_threads: Connection<Thread>,
    /// Only if they are asked for.
    pub(in super::super) commits: Option<Connection<PullCommit>>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "__typename")]
pub(in super::super) enum PullEvent {
    #[serde(rename = "PullRequestReview", rename_all = "camelCase")]
    Reviewed {
        author: Option<Person>,
        /// A review that is being written has none.
        submitted_at: Option<DateTime<Utc>>,
        state: String,
        body_text: String,
        url: String,
    },
    #[serde(rename = "MergedEvent")]
    Merged(Event),
    #[serde(rename = "ClosedEvent")]
    Closed(Event),
    #[serde(rename = "AssignedEvent", rename_all = "camelCase")]
    Assigned { actor: Option<Person>, created_at: DateTime<Utc>, assignee: Option<Shown<Person>> },
    #[serde(rename = "ReviewRequestedEvent", rename_all = "camelCase")]
    ReviewRequested {
        actor: Option<Person>,
        created_at: DateTime<Utc>,
        requested_reviewer: Option<Reviewer>,
    },
    /// One that we did not ask for.
    #[serde(other)]
    Another,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(in super::super) enum Reviewer {
    Team(Team),
    Person(Box<Person>),
    /// Of a type of which we ask for nothing.
    Another(Nothing),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Team {
    /// `acme/reviewers`
    pub(in super::super) combined_slug: String,
    pub(in super::super) team_name: String,
}

#[derive(Debug, Deserialize)]
pub(in super::super) struct Thread {
    pub(in super::super) id: String,
    pub(in super::super) comments: Connection<ReviewComment>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct ReviewComment {
    pub(in super::super) id: String,
    pub(in super::super) author: Option<Person>,
    pub(in super::super) body_text: String,
    pub(in super::super) url: String,
    pub(in super::super) created_at: DateTime<Utc>,
    pub(in super::super) state: String,
}

/// Further items below a pull request.
#[derive(Debug, Deserialize)]
pub(in super::super) struct BelowPull<T> {
    #[serde(flatten)]
    pub(in super::super) pull: PullHead,
    pub(in super::super) page: Connection<T>,
}

/// Further comments of a review thread.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct BelowThread {
    pub(in super::super) pull_request: PullHead,
    pub(in super::super) page: Connection<ReviewComment>,
}

#[derive(Debug, Deserialize)]
pub(in super::super) struct PullCommit {
    pub(in super::super) commit: Commit,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Commit {
    pub(in super::super) oid: String,
    pub(in super::super) message: String,
    #[serde(deserialize_with = "when_git_says")]
    pub(in super::super) authored_date: DateTime<Utc>,
    pub(in super::super) additions: u64,
    pub(in super::super) deletions: u64,
    pub(in super::super) author: Option<GitAuthor>,
    pub(in super::super) parents: Count,
}

/// Git stores whatever it is told, and there are commits of the year 10000: one that no calendar has
/// is of an unknown time, as the epoch is, rather than the end of its page.
fn when_git_says<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let said = String::deserialize(deserializer)?;
    Ok(said.parse().unwrap_or(DateTime::UNIX_EPOCH))
}

/// As git has it, and who that is on GitHub.
#[derive(Debug, Deserialize)]
pub(in super::super) struct GitAuthor {
    pub(in super::super) name: Option<String>,
    pub(in super::super) email: Option<String>,
    pub(in super::super) user: Option<Person>,
}
