//! A community of people writing on the simulated dev.to, and everything they can do there.
//!
//! A scenario holds the community and acts in it: somebody comments, replies, edits, deletes,
//! renames himself. Acting on something that is not there is a mistake in the scenario, and panics.
//!
//! Time is the community's own. Every act takes one second of it, so a community grown from the
//! same acts is the same to the byte, and two acts never share an instant.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::records::{
    Article, ArticleId, Comment, CommentId, Organization, OrganizationId, User, UserId, Visibility,
};

/// What the site says of an article that nobody commented on.
const BEFORE_ANY_COMMENT: &str = "2017-01-01T05:00:00Z";

/// When a community begins that is not told otherwise.
const FOUNDED_AT: &str = "2024-01-08T09:00:00Z";

#[derive(Clone, Debug, PartialEq)]
pub struct Community {
    /// By the site's published source, whatever is done to a comment moves the `last_comment_at` of
    /// its article: writing, editing, hiding, deleting. Set this, and only writing does, as for a
    /// reader who is served from a cache.
    pub quiet_edits: bool,
    now: DateTime<Utc>,
    last_id: u64,
    pub(super) organizations: BTreeMap<OrganizationId, Organization>,
    pub(super) users: BTreeMap<UserId, User>,
    pub(super) articles: BTreeMap<ArticleId, Article>,
    pub(super) comments: BTreeMap<CommentId, Comment>,
}

impl Community {
    pub fn empty() -> Self {
        Self {
            quiet_edits: false,
            now: instant(FOUNDED_AT),
            // Numbers are never used twice, whatever they number, so one that is looked up in the
            // wrong place is found nowhere.
            last_id: 100_000,
            organizations: BTreeMap::new(),
            users: BTreeMap::new(),
            articles: BTreeMap::new(),
            comments: BTreeMap::new(),
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Lets time pass until `now`. It never runs backwards.
    pub fn turn_to(&mut self, now: DateTime<Utc>) {
        self.now = self.now.max(now);
    }

    pub fn add_organization(&mut self, username: &str, name: &str) -> OrganizationId {
        let id = OrganizationId(self.next_id());
        let organization = Organization {
            id,
            username: username.to_owned(),
            name: name.to_owned(),
            summary: format!("{name} builds in the open."),
            url: format!("https://{username}.example.com/"),
            location: None,
            twitter_username: None,
            github_username: None,
            joined_at: self.now,
        };
        self.organizations.insert(id, organization);
        id
    }

    pub fn add_user(&mut self, username: &str, name: &str) -> UserId {
        let id = UserId(self.next_id());
        let user = User {
            id,
            username: username.to_owned(),
            name: name.to_owned(),
            summary: None,
            location: None,
            website_url: None,
            twitter_username: None,
            github_username: None,
            joined_at: self.now,
            has_profile: true,
        };
        self.users.insert(id, user);
        id
    }

    /// Publishes an article in the author's own name.
    pub fn add_article(&mut self, author: UserId, title: &str) -> ArticleId {
        let id = ArticleId(self.next_id());
        let article = Article {
            id,
            author,
            organization: None,
            title: title.to_owned(),
            slug: format!("{}-{}", slug(title), CommentId(id.0)),
            description: format!("{title}: what we tried, and what stayed."),
            tags: vec!["discuss".to_owned()],
            reactions: 0,
            reading_time_minutes: 3,
            published_at: self.now,
            last_comment_at: instant(BEFORE_ANY_COMMENT),
            comments_count: 0,
            threads: Vec::new(),
        };
        self.articles.insert(id, article);
        id
    }

    /// Publishes an article under an organization's name.
    pub fn add_article_for(
        &mut self,
        organization: OrganizationId,
        author: UserId,
        title: &str,
    ) -> ArticleId {
        let id = self.add_article(author, title);
        self.article_mut(id).organization = Some(organization);
        id
    }

    /// Takes an article away, and its comments with it.
    pub fn remove_article(&mut self, id: ArticleId) {
        self.articles.remove(&id).expect("the article to remove exists");
        self.comments.retain(|_, comment| comment.article != id);
    }

    pub fn add_comment(
        &mut self,
        article: ArticleId,
        author: UserId,
        body_html: &str,
    ) -> CommentId {
        let id = self.write(article, None, author, body_html);
        self.article_mut(article).threads.push(id);
        id
    }

    pub fn reply(&mut self, parent: CommentId, author: UserId, body_html: &str) -> CommentId {
        let article = self.comment(parent).article;
        let id = self.write(article, Some(parent), author, body_html);
        self.comment_mut(parent).replies.push(id);
        id
    }

    fn write(
        &mut self,
        article: ArticleId,
        parent: Option<CommentId>,
        author: UserId,
        body_html: &str,
    ) -> CommentId {
        let id = CommentId(self.next_id());
        let now = self.now;
        let comment = Comment {
            id,
            article,
            parent,
            author,
            body_html: body_html.to_owned(),
            created_at: now,
            visibility: Visibility::Shown,
            replies: Vec::new(),
        };
        self.comments.insert(id, comment);
        let article = self.article_mut(article);
        article.comments_count += 1;
        article.last_comment_at = now;
        id
    }

    pub fn edit_comment(&mut self, id: CommentId, body_html: &str) {
        self.comment_mut(id).body_html = body_html.to_owned();
        self.touch(self.comment(id).article);
    }

    /// As its author would: it vanishes, or leaves a tombstone if somebody had replied.
    pub fn delete_comment(&mut self, id: CommentId) {
        let article = self.comment(id).article;
        if self.comment(id).replies.is_empty() {
            self.vanish(id);
        } else {
            self.comment_mut(id).visibility = Visibility::Deleted;
        }
        self.touch(article);
    }

    /// As the author of the article would: it leaves a tombstone of its own kind.
    pub fn hide_comment(&mut self, id: CommentId) {
        self.comment_mut(id).visibility = Visibility::Hidden;
        self.touch(self.comment(id).article);
    }

    fn vanish(&mut self, id: CommentId) {
        let comment = self.comments.remove(&id).expect("the comment to delete exists");
        let siblings = match comment.parent {
            Some(parent) => &mut self.comment_mut(parent).replies,
            None => &mut self.article_mut(comment.article).threads,
        };
        siblings.retain(|&sibling| sibling != id);
        self.article_mut(comment.article).comments_count -= 1;
    }

    fn touch(&mut self, article: ArticleId) {
        self.now += TimeDelta::seconds(1);
        if !self.quiet_edits {
            self.article_mut(article).last_comment_at = self.now;
        }
    }

    pub fn rename_user(&mut self, id: UserId, username: &str) {
        self.user_mut(id).username = username.to_owned();
    }

    /// From now on the user's page is not found; what the user wrote stays.
    pub fn delete_profile(&mut self, id: UserId) {
        self.user_mut(id).has_profile = false;
    }

    pub fn organization_mut(&mut self, id: OrganizationId) -> &mut Organization {
        self.organizations.get_mut(&id).expect("the organization exists")
    }

    pub fn user_mut(&mut self, id: UserId) -> &mut User {
        self.users.get_mut(&id).expect("the user exists")
    }

    pub fn article_mut(&mut self, id: ArticleId) -> &mut Article {
        self.articles.get_mut(&id).expect("the article exists")
    }

    fn comment_mut(&mut self, id: CommentId) -> &mut Comment {
        self.comments.get_mut(&id).expect("the comment exists")
    }

    fn next_id(&mut self) -> u64 {
        self.now += TimeDelta::seconds(1);
        self.last_id += 1;
        self.last_id
    }
}

/// The title as it stands in an address: lower-case letters, digits and single hyphens.
fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("the constants above are instants")
}
