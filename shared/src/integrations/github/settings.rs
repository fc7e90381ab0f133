//! What a tenant enters: which repositories to follow, and whether to read commits.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

/// Entered as `{"repos": [{"owner": "acme", "name": "anvil"}], "commits": false}`; either may be left
/// out. Without `repos` all that the credential sees are followed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub(super) repos: BTreeSet<Name>,
    /// The commits of pull requests. They are told apart from what people do on GitHub, and two fifths
    /// of what a page of pull requests costs.
    pub(super) commits: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { repos: BTreeSet::new(), commits: true }
    }
}

/// A repository as people call it: `acme/anvil`. GitHub does not tell upper from lower case there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Spelling", into = "String")]
pub struct Name {
    owner: String,
    name: String,
}

/// In settings by its parts; in streams, state and units by the whole.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a repository, such as {\"owner\": \"acme\", \"name\": \"anvil\"}"
)]
enum Spelling {
    Parts(Parts),
    Whole(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    owner: String,
    name: String,
}

impl Name {
    pub(super) fn owner(&self) -> &str {
        &self.owner
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn of(owner: &str, name: &str) -> Result<Self, String> {
        let [owner, name] = [owner, name].map(|part| part.trim().to_ascii_lowercase());
        // `_` is in the logins that an enterprise gives to its people.
        if owner.is_empty() || !owner.chars().all(|c| is_in_name(c) && c != '.') {
            return Err(format!("`owner`: {owner:?} is no login on GitHub, such as `acme`"));
        }
        if matches!(name.as_str(), "" | "." | "..") || !name.chars().all(is_in_name) {
            return Err(format!("`name`: {name:?} is no repository's name, such as `anvil`"));
        }
        Ok(Self { owner, name })
    }
}

fn is_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

impl std::str::FromStr for Name {
    type Err = String;

    fn from_str(whole: &str) -> Result<Self, String> {
        let parts = whole.split_once('/');
        let (owner, name) =
            parts.ok_or_else(|| format!("{whole:?} is no repository, such as `acme/anvil`"))?;
        Self::of(owner, name)
    }
}

impl TryFrom<Spelling> for Name {
    type Error = String;

    fn try_from(spelling: Spelling) -> Result<Self, String> {
        match spelling {
            Spelling::Parts(Parts { owner, name }) => Self::of(&owner, &name),
            Spelling::Whole(whole) => whole.parse(),
        }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.to_string()
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}
