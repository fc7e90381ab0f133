//! What a tenant enters: the hashtags to follow.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

/// Entered as `{"hashtags": ["rustlang"]}`. Followers and mentions of the connected account are read
/// without saying so.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    #[serde(default)]
    pub(super) hashtags: BTreeSet<Hashtag>,
}

/// Without its sign, and in small letters, since X does not tell them from capitals.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Hashtag(String);

/// More than anybody types; a query has its bounds, too.
const LONGEST: usize = 100;

impl Hashtag {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is no hashtag would be something else in a query: `rust OR spam` searches for both.
impl TryFrom<String> for Hashtag {
    type Error = String;

    fn try_from(entered: String) -> Result<Self, String> {
        let tag = entered.trim().trim_start_matches(['#', '＃']).to_lowercase();
        let fits = |c: char| c.is_alphanumeric() || c == '_';
        let is_number = tag.chars().all(|c| c.is_ascii_digit());
        if is_number || !tag.chars().all(fits) || tag.chars().count() > LONGEST {
            return Err(format!("{entered:?} is no hashtag, such as `rustlang`"));
        }
        Ok(Self(tag))
    }
}

impl Display for Hashtag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
