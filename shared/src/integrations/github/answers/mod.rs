//! What GitHub answers, as far as we read it. What its schema calls nullable is an `Option` here: of
//! a part that is withheld, null is all that comes.

use chrono::{DateTime, Utc};
use serde::Deserialize;

mod discussions;
mod issues;
mod people;
mod pulls;

pub(super) use discussions::{BelowComment, Discussion, DiscussionComment};
pub(super) use issues::{BelowIssue, Comment, Event, Issue, IssueEvent};
pub(super) use people::{AccountKind, Fork, Person, Star};
pub(super) use pulls::{
    BelowPull, BelowThread, Commit, GitAuthor, Pull, PullCommit, PullEvent, PullHead,
    ReviewComment, Reviewer, Thread,
};

use super::streams::Newest;

/// A list, or a page of one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection<T> {
    pub(super) total_count: u64,
    page_info: PageInfo,
    nodes: Option<Vec<Option<T>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

impl<T> Connection<T> {
    /// Those that are not withheld.
    pub(super) fn items(&mut self) -> Vec<T> {
        self.nodes.take().into_iter().flatten().flatten().collect()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.nodes.iter().flatten().flatten()
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.iter().next_back()
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.as_ref().map_or(0, Vec::len)
    }

    pub(super) fn next(&self) -> Option<&str> {
        self.page_info.end_cursor.as_deref().filter(|_| self.page_info.has_next_page)
    }
}

/// What is new in a repository, in those of its lists that were asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Glance {
    pub(super) id: String,
    pub(super) name_with_owner: String,
    pub(super) stargazers: Option<Top>,
    pub(super) forks: Option<Top>,
    pub(super) pull_requests: Option<Top>,
    pub(super) issues: Option<Top>,
    pub(super) discussions: Option<Top>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Top {
    total_count: u64,
    nodes: Option<Vec<Option<Instant>>>,
}

#[derive(Debug, Deserialize)]
struct Instant {
    at: DateTime<Utc>,
}

impl Top {
    /// What happened after `still` is warm.
    pub(super) fn newest(&self, still: DateTime<Utc>) -> Newest {
        let first = self.nodes.iter().flatten().flatten().next();
        let at = first.map(|first| first.at);
        Newest { at, total: self.total_count, warm: at.is_some_and(|at| at > still) }
    }
}

/// A page of a list of the repository.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing<T> {
    pub(super) repository_url: String,
    pub(super) page: Connection<T>,
}

/// As [`Listing`], of items that say themselves where they belong.
#[derive(Debug, Deserialize)]
pub(super) struct Plain<T> {
    pub(super) page: Connection<T>,
}

/// Further comments below something.
#[derive(Debug, Deserialize)]
pub(super) struct Below<T> {
    /// The id of what they are below.
    pub(super) parent: String,
    pub(super) repository: Place,
    pub(super) page: Connection<T>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Place {
    pub(super) url: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Count {
    pub(super) total_count: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct FoundOnes<T> {
    pub(super) nodes: Option<Vec<Option<Shown<T>>>>,
}

/// One of several types. Of those that no fragment of the query is about, `{}` is all that comes.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Shown<T> {
    This(Box<T>),
    Another(Nothing),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

impl<T> Shown<T> {
    pub(super) fn into_this(self) -> Option<T> {
        match self {
            Self::This(this) => Some(*this),
            Self::Another(Nothing {}) => None,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Company {
    pub(super) url: String,
    pub(super) description: Option<String>,
    pub(super) location: Option<String>,
    pub(super) email: Option<String>,
    pub(super) website_url: Option<String>,
    pub(super) avatar_url: String,
    pub(super) twitter_username: Option<String>,
}
