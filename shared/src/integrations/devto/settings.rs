//! What a tenant enters: whose articles to follow.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Entered as `{"organizations": ["acme"], "users": ["ben"]}`; either may be left out.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Entered")]
pub struct Settings {
    /// Never empty, and each but once.
    sources: Vec<Source>,
}

/// Somebody who publishes articles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Organization(Name),
    User(Name),
}

/// A name as it stands in the address of a profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(String);

impl Settings {
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entered {
    #[serde(default)]
    organizations: BTreeSet<Name>,
    #[serde(default)]
    users: BTreeSet<Name>,
}

impl TryFrom<Entered> for Settings {
    type Error = &'static str;

    fn try_from(Entered { organizations, users }: Entered) -> Result<Self, Self::Error> {
        let organizations = organizations.into_iter().map(Source::Organization);
        let sources: Vec<_> = organizations.chain(users.into_iter().map(Source::User)).collect();
        if sources.is_empty() {
            return Err("at least one of `organizations` and `users` must name somebody");
        }
        Ok(Self { sources })
    }
}

impl Source {
    /// Its id among the external sync units, from which it can be read.
    pub(super) fn unit(&self) -> String {
        match self {
            Self::Organization(name) => format!("organization/{name}"),
            Self::User(name) => format!("user/{name}"),
        }
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(unit: &str) -> Result<Self, String> {
        match unit.split_once('/') {
            Some(("organization", name)) => Ok(Self::Organization(name.to_owned().try_into()?)),
            Some(("user", name)) => Ok(Self::User(name.to_owned().try_into()?)),
            _ => Err(format!("{unit:?} is no unit of dev.to, such as `user/ben`")),
        }
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(name) => write!(f, "organization `{name}`"),
            Self::User(name) => write!(f, "user `{name}`"),
        }
    }
}

impl Name {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// People paste what they have at hand: `@Ben`, `https://dev.to/ben`. The site writes names in lower
/// case only.
impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(entered: String) -> Result<Self, String> {
        let name = entered.trim();
        let name = name.strip_prefix("https://").unwrap_or(name);
        let name = name.strip_prefix("dev.to/").unwrap_or(name);
        let name = name.trim_start_matches('@').trim_end_matches('/').to_ascii_lowercase();
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(fits) {
            return Err(format!("{entered:?} is no name on dev.to, such as `ben`"));
        }
        Ok(Self(name))
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
