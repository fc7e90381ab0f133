//! What there is to see in a community, and the truth a synchronisation is compared with.

use chrono::{DateTime, Utc};

use super::community::Community;
use super::records::{
    Article, ArticleId, Comment, CommentId, Organization, OrganizationId, User, UserId, Visibility,
};

/// One comment that a complete synchronisation must have found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedComment {
    pub id_code: String,
    /// Present also where the parent itself is only a tombstone.
    pub parent_id_code: Option<String>,
    pub article_id: u64,
    pub user_id: u64,
    pub username: String,
    pub body_html: String,
    pub created_at: DateTime<Utc>,
}

impl Community {
    /// The whole truth: every comment that is shown, in the order they were written.
    pub fn expected_comments(&self) -> Vec<ExpectedComment> {
        let shown = |comment: &&Comment| comment.visibility == Visibility::Shown;
        self.comments.values().filter(shown).map(|comment| self.expect_comment(comment)).collect()
    }

    fn expect_comment(&self, comment: &Comment) -> ExpectedComment {
        ExpectedComment {
            id_code: comment.id.to_string(),
            parent_id_code: comment.parent.map(|parent| parent.to_string()),
            article_id: comment.article.0,
            user_id: comment.author.0,
            username: self.user(comment.author).username.clone(),
            body_html: comment.body_html.clone(),
            created_at: comment.created_at,
        }
    }

    pub fn organizations(&self) -> impl Iterator<Item = &Organization> {
        self.organizations.values()
    }

    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// Oldest first: numbers are given in the order of publication.
    pub fn articles(&self) -> impl DoubleEndedIterator<Item = &Article> {
        self.articles.values()
    }

    pub fn comments(&self) -> impl Iterator<Item = &Comment> {
        self.comments.values()
    }

    pub fn organization(&self, id: OrganizationId) -> &Organization {
        &self.organizations[&id]
    }

    pub fn user(&self, id: UserId) -> &User {
        &self.users[&id]
    }

    pub fn comment(&self, id: CommentId) -> &Comment {
        &self.comments[&id]
    }

    pub fn find_article(&self, id: ArticleId) -> Option<&Article> {
        self.articles.get(&id)
    }

    pub fn find_user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }
}
