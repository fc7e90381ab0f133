//! The queries we send, each whole with its fragments, and what it costs.
//!
//! By GitHub's formula a query costs one request for each list in it, times the items that the list
//! is inside of, all of it divided by a hundred. So what hangs below a hundred items is dear, and a
//! hundred items of one list are as cheap as one. The estimates stand for full pages; a test holds
//! them against the formula.

/// A query and the points it is expected to cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query {
    pub(super) text: &'static str,
    pub(super) cost: u32,
}

macro_rules! query {
    ($cost:literal, $($file:literal),+) => {
        Query {
            text: concat!($(include_str!(concat!("queries/", $file, ".graphql"))),+),
            cost: $cost,
        }
    };
}

pub(super) const PEEK: Query = query!(2, "peek", "glance");
pub(super) const REPOSITORY: Query = query!(1, "repository", "glance");

pub(super) const STARGAZERS: Query = query!(1, "stargazers", "person", "account");
pub(super) const FORKS: Query = query!(1, "forks", "person", "account");
pub(super) const PULLS: Query = query!(
    7,
    "pulls",
    "pull",
    "comments",
    "pull_timeline",
    "review_comments",
    "commits",
    "person",
    "account"
);
pub(super) const ISSUES: Query = query!(2, "issues", "comments", "closings", "person", "account");
pub(super) const DISCUSSIONS: Query =
    query!(3, "discussions", "discussion_comment", "person", "account");

pub(super) const PULL_COMMENTS: Query = query!(1, "pull_comments", "comments", "person", "account");
pub(super) const PULL_TIMELINE: Query =
    query!(1, "pull_timeline_page", "pull", "pull_timeline", "person", "account");
pub(super) const PULL_REVIEW_THREADS: Query =
    query!(1, "pull_review_threads", "pull", "review_comments", "person", "account");
pub(super) const PULL_REVIEW_THREAD_COMMENTS: Query =
    query!(1, "pull_review_thread_comments", "pull", "review_comments", "person", "account");
pub(super) const PULL_COMMITS: Query =
    query!(1, "pull_commits", "pull", "commits", "person", "account");
pub(super) const ISSUE_COMMENTS: Query =
    query!(1, "issue_comments", "comments", "person", "account");
pub(super) const ISSUE_TIMELINE: Query =
    query!(1, "issue_timeline", "closings", "person", "account");
pub(super) const DISCUSSION_COMMENTS: Query =
    query!(1, "discussion_comments", "discussion_comment", "person", "account");
pub(super) const DISCUSSION_REPLIES: Query =
    query!(1, "discussion_replies", "discussion_comment", "person", "account");

pub(super) const FOLLOWERS: Query = query!(1, "followers", "account");
pub(super) const ORGANIZATION_BY_LOGIN: Query = query!(1, "organization_by_login", "organization");
pub(super) const ORGANIZATION_BY_SEARCH: Query =
    query!(1, "organization_by_search", "organization");

/// Repositories in one [`PEEK`].
pub(super) const REPOS_AT_ONCE: usize = 40;
/// People in one [`FOLLOWERS`]: what GitHub takes.
pub(super) const PEOPLE_AT_ONCE: usize = 100;
