//! What a community on X consists of.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostId(pub u64);

#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub name: String,
    pub description: String,
    pub location: Option<String>,
    /// How many follow them, wherever they are: the community knows only its own followers.
    pub followers_count: u64,
    pub standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Active,
    /// Only followers see what they write.
    Protected,
    Suspended,
    Deleted,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    /// Of the version that is shown: an edit gives another.
    pub id: PostId,
    /// The ids it had, the first and this one included.
    pub versions: Vec<PostId>,
    pub author: UserId,
    pub text: String,
    pub created_at: DateTime<Utc>,
    /// When lists begin to show it.
    pub listed_at: DateTime<Utc>,
    pub photo: bool,
}

/// Somebody follows somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follow {
    pub follower: UserId,
    pub followed: UserId,
    /// Later ones have greater numbers.
    pub number: u64,
}

impl PostId {
    /// The first instant that ids can tell, in milliseconds.
    const BEGINNING: i64 = 1_288_834_974_657;

    /// The least id of a post from that instant; ids tell the time in all but their last 22 bits.
    pub fn at(instant: DateTime<Utc>) -> Self {
        let since = (instant.timestamp_millis() - Self::BEGINNING).max(0);
        Self((since as u64) << 22)
    }

    pub fn instant(self) -> DateTime<Utc> {
        let since = TimeDelta::milliseconds((self.0 >> 22) as i64);
        DateTime::from_timestamp_millis(Self::BEGINNING).unwrap_or_default() + since
    }
}

impl Post {
    /// The id it was first given.
    pub fn original(&self) -> PostId {
        *self.versions.first().unwrap_or(&self.id)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_when_it_was_given() {
        let instant = "2024-05-01T12:00:00.123Z".parse().unwrap();
        assert_eq!(PostId::at(instant).instant(), instant);
        // A well-known one, whose address says what its page says of the time.
        let known = PostId(1_519_056_945_277_198_339);
        assert_eq!(known.instant().date_naive().to_string(), "2022-04-26");
    }
}
