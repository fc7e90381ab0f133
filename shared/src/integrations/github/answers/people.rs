//! Accounts, and what they leave at a repository.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::Count;

/// An account that did something: of a person, a bot, or what is left of one.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Person {
    #[serde(rename = "__typename")]
    pub(in super::super) kind: AccountKind,
    pub(in super::super) login: String,
    pub(in super::super) url: String,
    pub(in super::super) avatar_url: String,
    pub(in super::super) id: Option<String>,
    pub(in super::super) database_id: Option<u64>,
    pub(in super::super) name: Option<String>,
    pub(in super::super) email: Option<String>,
    pub(in super::super) company: Option<String>,
    pub(in super::super) bio: Option<String>,
    pub(in super::super) location: Option<String>,
    pub(in super::super) website_url: Option<String>,
    pub(in super::super) twitter_username: Option<String>,
    pub(in super::super) is_hireable: Option<bool>,
    pub(in super::super) followers: Option<Count>,
    /// Of an account in an enterprise: whose it is.
    pub(in super::super) user: Option<Box<Person>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(in super::super) enum AccountKind {
    User,
    Bot,
    Mannequin,
    Organization,
    EnterpriseUserAccount,
    /// One that GitHub did not have when this was written.
    #[serde(other)]
    Another,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Star {
    pub(in super::super) starred_at: DateTime<Utc>,
    pub(in super::super) node: Person,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Fork {
    pub(in super::super) id: String,
    pub(in super::super) url: String,
    pub(in super::super) created_at: DateTime<Utc>,
    pub(in super::super) owner: Person,
}
