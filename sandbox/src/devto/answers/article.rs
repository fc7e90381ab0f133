//! An article as it stands in a list.

use chrono::{DateTime, Datelike, Utc};
use serde::Serialize;

use super::{HOME, SharedOrganization, SharedUser, iso};
use crate::devto::community::Community;
use crate::devto::records::Article;

#[derive(Serialize)]
pub(in crate::devto) struct ArticleAnswer<'a> {
    type_of: &'static str,
    id: u64,
    title: &'a str,
    description: &'a str,
    readable_publish_date: String,
    slug: &'a str,
    path: String,
    url: String,
    comments_count: u32,
    public_reactions_count: u32,
    positive_reactions_count: u32,
    collection_id: Option<u64>,
    published_timestamp: String,
    published_at: String,
    created_at: String,
    edited_at: Option<String>,
    crossposted_at: Option<String>,
    last_comment_at: String,
    cover_image: Option<String>,
    social_image: String,
    canonical_url: String,
    reading_time_minutes: u32,
    tag_list: &'a [String],
    tags: String,
    user: SharedUser<'a>,
    /// Absent where the author publishes in his own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<SharedOrganization<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flare_tag: Option<FlareTag>,
}

impl<'a> ArticleAnswer<'a> {
    pub(in crate::devto) fn of(article: &'a Article, community: &'a Community) -> Self {
        let author = community.user(article.author);
        let organization = article.organization.map(|id| community.organization(id));
        let owner = organization.map_or(&author.username, |organization| &organization.username);
        let path = format!("/{owner}/{}", article.slug);
        let url = format!("{HOME}{path}");
        let published_at = iso(article.published_at);
        let discusses = article.tags.iter().any(|tag| tag == FlareTag::DISCUSS.name);
        Self {
            type_of: "article",
            id: article.id.0,
            title: &article.title,
            description: &article.description,
            readable_publish_date: readable_date(article.published_at, community.now()),
            slug: &article.slug,
            path,
            canonical_url: url.clone(),
            url,
            comments_count: article.comments_count,
            public_reactions_count: article.reactions,
            positive_reactions_count: article.reactions,
            collection_id: None,
            published_timestamp: published_at.clone(),
            created_at: published_at.clone(),
            published_at,
            edited_at: None,
            crossposted_at: None,
            last_comment_at: iso(article.last_comment_at),
            cover_image: None,
            social_image: format!("{HOME}/social_previews/article/{}.png", article.id.0),
            reading_time_minutes: article.reading_time_minutes,
            tag_list: &article.tags,
            tags: article.tags.join(", "),
            user: SharedUser::of(author),
            organization: organization.map(SharedOrganization::of),
            flare_tag: discusses.then_some(FlareTag::DISCUSS),
        }
    }
}

#[derive(Serialize)]
struct FlareTag {
    name: &'static str,
    bg_color_hex: &'static str,
    text_color_hex: &'static str,
}

impl FlareTag {
    const DISCUSS: Self =
        Self { name: "discuss", bg_color_hex: "#71c5ff", text_color_hex: "#08205f" };
}

/// "Nov 3", or "Nov 3 '24" in any other year than this.
fn readable_date(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let pattern = if at.year() == now.year() { "%b %-d" } else { "%b %-d '%y" };
    at.format(pattern).to_string()
}
