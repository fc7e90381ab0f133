//! What a community consists of, as the site itself would store it.

use std::fmt;

use chrono::{DateTime, Utc};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationId(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArticleId(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommentId(pub u64);

#[derive(Clone, Debug, PartialEq)]
pub struct Organization {
    pub id: OrganizationId,
    pub username: String,
    pub name: String,
    pub summary: String,
    pub url: String,
    pub location: Option<String>,
    pub twitter_username: Option<String>,
    pub github_username: Option<String>,
    pub joined_at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub name: String,
    pub summary: Option<String>,
    pub location: Option<String>,
    pub website_url: Option<String>,
    pub twitter_username: Option<String>,
    pub github_username: Option<String>,
    pub joined_at: DateTime<Utc>,
    /// Without one, `/api/users/{id}` says 404 while the user's comments still carry the name.
    pub has_profile: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Article {
    pub id: ArticleId,
    pub author: UserId,
    pub organization: Option<OrganizationId>,
    pub title: String,
    pub slug: String,
    pub description: String,
    pub tags: Vec<String>,
    pub reactions: u32,
    pub reading_time_minutes: u32,
    pub published_at: DateTime<Utc>,
    pub last_comment_at: DateTime<Utc>,
    pub(super) comments_count: u32,
    /// The comments that answer the article itself, oldest first.
    pub(super) threads: Vec<CommentId>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    pub id: CommentId,
    pub article: ArticleId,
    pub parent: Option<CommentId>,
    pub author: UserId,
    pub body_html: String,
    pub created_at: DateTime<Utc>,
    pub visibility: Visibility,
    pub(super) replies: Vec<CommentId>,
}

/// What is left of a comment. Both kinds of tombstone keep their place and their replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    Shown,
    Deleted,
    /// Hidden by the author of the article.
    Hidden,
}

/// Shown as the site's `id_code`: the number in base 26, digits first.
impl fmt::Display for CommentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 26] = b"0123456789abcdefghijklmnop";
        let mut code = Vec::new();
        let mut rest = self.0;
        while rest > 0 || code.is_empty() {
            code.push(DIGITS[(rest % 26) as usize]);
            rest /= 26;
        }
        code.iter().rev().try_for_each(|&digit| write!(f, "{}", char::from(digit)))
    }
}

#[cfg(test)]
mod tests {
    use super::CommentId;

    #[test]
    fn an_id_code_is_the_number_in_base_26() {
        let codes = [0, 25, 26, 446, 1_000_000].map(|id| CommentId(id).to_string());
        assert_eq!(codes, ["0", "p", "10", "h4", "24n7e"]);
    }
}
