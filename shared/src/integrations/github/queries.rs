//! The queries we send, each whole with its fragments, and what it costs.
//!
//! By GitHub's formula a query costs one request for each list in it, times the items that the list
//! is inside of, all of it divided by a hundred. So what hangs below a hundred items is dear, and a
//! hundred items of one list are as cheap as one. A test holds what we expect against the formula.
//! What is below a single item and did not come with it is a point for each page.

use serde_json::Value;

/// A query, and the lists it opens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query {
    pub(super) text: &'static str,
    /// For each of its items, whose number is a variable.
    each: u32,
    /// For each of them besides, where commits are asked for.
    commits: u32,
}

impl Query {
    /// In points, at the most.
    pub(super) fn cost(&self, variables: &Value) -> u32 {
        let ids = variables["ids"].as_array().map(|ids| ids.len() as u64);
        let items = ids.or_else(|| variables["size"].as_u64());
        let commits = if variables["commits"] == true { self.commits } else { 0 };
        let below = items.unwrap_or(0) * u64::from(self.each + commits);
        // One is the list of the items itself.
        u32::try_from((1 + below + 50) / 100).unwrap_or(u32::MAX).max(1)
    }

    const fn each(self, each: u32) -> Self {
        Self { each, ..self }
    }

    const fn commits(self, commits: u32) -> Self {
        Self { commits, ..self }
    }
}

macro_rules! query {
    ($($file:literal),+) => {
        Query {
            text: concat!($(include_str!(concat!("queries/", $file, ".graphql"))),+),
            each: 0,
            commits: 0,
        }
    };
}

pub(super) const PEEK: Query = query!("peek", "glance").each(5);
pub(super) const REPOSITORY: Query = query!("repository", "glance");

pub(super) const STARGAZERS: Query = query!("stargazers", "person", "account").each(1);
pub(super) const FORKS: Query = query!("forks", "person", "account").each(1);
pub(super) const PULLS: Query = query!(
    "pulls",
    "pull",
    "comments",
    "pull_timeline",
    "review_comments",
    "commits",
    "person",
    "account"
)
.each(15)
.commits(11);
pub(super) const ISSUES: Query =
    query!("issues", "comments", "closings", "person", "account").each(3);
pub(super) const DISCUSSIONS: Query =
    query!("discussions", "discussion_comment", "person", "account").each(12);

pub(super) const PULL_COMMENTS: Query = query!("pull_comments", "comments", "person", "account");
pub(super) const PULL_TIMELINE: Query =
    query!("pull_timeline_page", "pull", "pull_timeline", "person", "account");
pub(super) const PULL_REVIEW_THREADS: Query =
    query!("pull_review_threads", "pull", "review_comments", "person", "account");
pub(super) const PULL_REVIEW_THREAD_COMMENTS: Query =
    query!("pull_review_thread_comments", "pull", "review_comments", "person", "account");
pub(super) const PULL_COMMITS: Query =
    query!("pull_commits", "pull", "commits", "person", "account");
pub(super) const ISSUE_COMMENTS: Query = query!("issue_comments", "comments", "person", "account");
pub(super) const ISSUE_TIMELINE: Query = query!("issue_timeline", "closings", "person", "account");
pub(super) const DISCUSSION_COMMENTS: Query =
    query!("discussion_comments", "discussion_comment", "person", "account");
pub(super) const DISCUSSION_REPLIES: Query =
    query!("discussion_replies", "discussion_comment", "person", "account");

pub(super) const FOLLOWERS: Query = query!("followers", "account").each(1);
pub(super) const ORGANIZATION_BY_LOGIN: Query = query!("organization_by_login", "organization");
pub(super) const ORGANIZATION_BY_SEARCH: Query = query!("organization_by_search", "organization");

/// Repositories in one [`PEEK`].
pub(super) const REPOS_AT_ONCE: usize = 40;
/// People in one [`FOLLOWERS`]: what GitHub takes.
pub(super) const PEOPLE_AT_ONCE: usize = 100;
