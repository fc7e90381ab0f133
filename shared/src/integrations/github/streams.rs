//! What is fetched at once. Streams are stored: a variant or a field is only ever added.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::settings::Name;
use crate::sdk::Place;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub enum Stream {
    /// A page of the repositories that the credential sees.
    Repositories {
        #[serde(flatten)]
        place: Place<u64>,
    },
    /// A repository that is known by its name only: who it is, and what is new there.
    Repository {
        name: Name,
    },
    /// What is new in these repositories.
    Peek {
        repos: Vec<Repo>,
    },

    Stargazers(Page),
    Forks(Page),
    Pulls(Page),
    Issues(Page),
    Discussions(Page),

    // What did not fit into the page of its parent.
    PullComments(Rest),
    PullTimeline(Rest),
    PullReviewThreads(Rest),
    PullReviewThreadComments(Rest),
    PullCommits(Rest),
    IssueComments(Rest),
    IssueTimeline(Rest),
    DiscussionComments(Rest),
    DiscussionReplies(Rest),

    /// How many follow these people, by their ids: asked where it was too dear to be asked along.
    Followers {
        people: Vec<String>,
    },
    /// What is publicly known of a company. However many work there, whoever meets them on whatever
    /// page names the same stream, and so it is asked for once in a run.
    Organization {
        company: String,
    },
}

/// A repository by GitHub's id, which stays when it is renamed. The name is for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repo {
    pub(super) id: String,
    pub(super) name: String,
}

/// The five lists of a repository, each with a cursor of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum List {
    Stargazers,
    Forks,
    Pulls,
    Issues,
    Discussions,
}

/// What tells whether a list has anything new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Newest {
    /// When its first item was starred, created or updated.
    pub(super) at: Option<DateTime<Utc>>,
    pub(super) total: u64,
    /// Its first item was so young when the run began that more may have happened in its second.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) warm: bool,
}

/// A page of a list, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    pub(super) repo: Repo,
    /// As it was before the first page was read: so far the list is read once all of this is done.
    pub(super) newest: Newest,
    /// Older items are known; `None`: none are.
    pub(super) since: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<String>,
    /// How many items the pages before had.
    #[serde(default)]
    pub(super) read: u64,
    /// How many to ask for, where the usual number was too much for GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<u32>,
}

/// A further page of what belongs to an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rest {
    pub(super) repo: Repo,
    /// The id of the item.
    pub(super) of: String,
    pub(super) since: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<String>,
    /// How many the pages before had.
    #[serde(default)]
    pub(super) read: u64,
}

impl Stream {
    /// The list that this is a part of: it is not read before all its parts are.
    pub(super) fn list(&self) -> Option<(&Repo, List)> {
        Some(match self {
            Self::Stargazers(page) => (&page.repo, List::Stargazers),
            Self::Forks(page) => (&page.repo, List::Forks),
            Self::Pulls(page) => (&page.repo, List::Pulls),
            Self::Issues(page) => (&page.repo, List::Issues),
            Self::Discussions(page) => (&page.repo, List::Discussions),
            Self::PullComments(rest)
            | Self::PullTimeline(rest)
            | Self::PullReviewThreads(rest)
            | Self::PullReviewThreadComments(rest)
            | Self::PullCommits(rest) => (&rest.repo, List::Pulls),
            Self::IssueComments(rest) | Self::IssueTimeline(rest) => (&rest.repo, List::Issues),
            Self::DiscussionComments(rest) | Self::DiscussionReplies(rest) => {
                (&rest.repo, List::Discussions)
            }
            Self::Repositories { .. }
            | Self::Repository { .. }
            | Self::Peek { .. }
            | Self::Followers { .. }
            | Self::Organization { .. } => return None,
        })
    }

    pub(super) fn page(&self) -> Option<&Page> {
        match self {
            Self::Stargazers(page)
            | Self::Forks(page)
            | Self::Pulls(page)
            | Self::Issues(page)
            | Self::Discussions(page) => Some(page),
            _ => None,
        }
    }
}

impl List {
    pub(super) const ALL: [Self; 5] =
        [Self::Stargazers, Self::Forks, Self::Pulls, Self::Issues, Self::Discussions];

    /// Its field of a repository.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Stargazers => "stargazers",
            Self::Forks => "forks",
            Self::Pulls => "pullRequests",
            Self::Issues => "issues",
            Self::Discussions => "discussions",
        }
    }

    pub(super) fn stream(self, page: Page) -> Stream {
        match self {
            Self::Stargazers => Stream::Stargazers(page),
            Self::Forks => Stream::Forks(page),
            Self::Pulls => Stream::Pulls(page),
            Self::Issues => Stream::Issues(page),
            Self::Discussions => Stream::Discussions(page),
        }
    }
}
