//! What there is to see in a community, and the truth a synchronisation is compared with.

use chrono::{DateTime, TimeDelta, Utc};

use super::community::Community;
use super::records::{Post, Standing, User, UserId};
use super::text;

/// How far back the recent search reaches.
pub const RECENT: TimeDelta = TimeDelta::days(7);

/// How many mentions of somebody are ever listed.
pub(super) const MOST_MENTIONS: usize = 800;

/// One post that a complete synchronisation must have found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedPost {
    /// The id it was first given.
    pub id: String,
    pub author_id: String,
    pub username: String,
    pub text: String,
    pub created_at: DateTime<Utc>,
}

impl Community {
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    pub fn posts(&self) -> impl Iterator<Item = &Post> {
        self.posts.values()
    }

    pub fn user(&self, id: UserId) -> &User {
        &self.users[&id]
    }

    /// Names are the same in capitals and in small letters.
    pub fn user_named(&self, username: &str) -> Option<&User> {
        self.users().find(|user| user.username.eq_ignore_ascii_case(username))
    }

    /// Who follows somebody, the latest first. Nobody sees those who are suspended or gone.
    pub fn followers(&self, followed: UserId) -> Vec<&User> {
        self.follows_of(followed).map(|(_, user)| user).collect()
    }

    /// With the numbers of their follows.
    pub(super) fn follows_of(&self, followed: UserId) -> impl Iterator<Item = (u64, &User)> {
        let follows = self.follows.iter().rev().filter(move |follow| follow.followed == followed);
        let followers = follows.map(|follow| (follow.number, self.user(follow.follower)));
        followers.filter(|(_, user)| user.is_visible())
    }

    /// The truth about a hashtag: what the recent search finds, the latest first.
    pub fn expected_hashtag(&self, tag: &str) -> Vec<ExpectedPost> {
        self.tagged(tag).into_iter().map(|post| self.expect_post(post)).collect()
    }

    /// The truth about mentions, the latest first.
    pub fn expected_mentions(&self, of: UserId) -> Vec<ExpectedPost> {
        self.mentioning(of).into_iter().map(|post| self.expect_post(post)).collect()
    }

    fn expect_post(&self, post: &Post) -> ExpectedPost {
        ExpectedPost {
            id: post.original().to_string(),
            author_id: post.author.to_string(),
            username: self.user(post.author).username.clone(),
            text: text::escaped(&post.text),
            created_at: post.created_at,
        }
    }

    pub(super) fn tagged(&self, tag: &str) -> Vec<&Post> {
        let tag = tag.to_lowercase();
        let has_it = |text: &str| {
            text::hashtags(text).into_iter().any(|found| found.word.to_lowercase() == tag)
        };
        let since = self.now() - RECENT;
        self.listed().filter(|post| post.created_at >= since && has_it(&post.text)).collect()
    }

    pub(super) fn mentioning(&self, user: UserId) -> Vec<&Post> {
        let name = &self.user(user).username;
        let has_it = |text: &str| {
            text::mentions(text).into_iter().any(|found| found.word.eq_ignore_ascii_case(name))
        };
        self.listed().filter(|post| has_it(&post.text)).take(MOST_MENTIONS).collect()
    }

    /// The latest first.
    fn listed(&self) -> impl Iterator<Item = &Post> {
        self.posts.values().rev().filter(|post| {
            post.listed_at <= self.now() && self.user(post.author).standing == Standing::Active
        })
    }
}

impl User {
    pub fn is_visible(&self) -> bool {
        matches!(self.standing, Standing::Active | Standing::Protected)
    }
}
