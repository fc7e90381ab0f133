//! A page of comments as it travels: the fields of dev.to's comments and of their authors.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Page {
    pub(super) comments: Vec<Comment>,
    pub(super) next_page: Option<usize>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Comment {
    pub(super) type_of: String,
    pub(super) id_code: String,
    pub(super) parent_id_code: Option<String>,
    pub(super) article_id: u64,
    pub(super) created_at: DateTime<Utc>,
    pub(super) body_html: String,
    pub(super) user: User,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) username: String,
    pub(super) twitter_username: Option<String>,
    pub(super) github_username: Option<String>,
    pub(super) user_id: u64,
    pub(super) website_url: Option<String>,
    pub(super) profile_image: String,
    pub(super) profile_image_90: String,
}
