//! The community in the words of the site's API: the fields and types of its published description
//! (Forem API V1), and of the site's own answers where the description is silent.
//!
//! Answers borrow from the community and are written out while it is held, so nothing of it is
//! copied but the text that is sent.

mod article;
mod profiles;
mod threads;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::records::{Organization, User};

pub(super) use article::ArticleAnswer;
pub(super) use profiles::{OrganizationAnswer, UserAnswer};
pub(super) use threads::Threads;

/// Addresses inside answers name the real site, as a recorded answer would.
const HOME: &str = "https://dev.to";

/// The author of an article or a comment, as it stands inside them.
#[derive(Serialize)]
struct SharedUser<'a> {
    name: &'a str,
    username: &'a str,
    twitter_username: Option<&'a str>,
    github_username: Option<&'a str>,
    user_id: u64,
    website_url: Option<&'a str>,
    profile_image: String,
    profile_image_90: String,
}

impl<'a> SharedUser<'a> {
    fn of(user: &'a User) -> Self {
        Self {
            name: &user.name,
            username: &user.username,
            twitter_username: user.twitter_username.as_deref(),
            github_username: user.github_username.as_deref(),
            user_id: user.id.0,
            website_url: user.website_url.as_deref(),
            profile_image: image("user", user.id.0, 640),
            profile_image_90: image("user", user.id.0, 90),
        }
    }
}

#[derive(Serialize)]
struct SharedOrganization<'a> {
    name: &'a str,
    username: &'a str,
    slug: &'a str,
    profile_image: String,
    profile_image_90: String,
}

impl<'a> SharedOrganization<'a> {
    fn of(organization: &'a Organization) -> Self {
        Self {
            name: &organization.name,
            username: &organization.username,
            slug: &organization.username,
            profile_image: image("organization", organization.id.0, 640),
            profile_image_90: image("organization", organization.id.0, 90),
        }
    }
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn image(of: &str, id: u64, width: u32) -> String {
    format!("https://media2.dev.to/dynamic/image/width={width}/uploads/{of}/profile_image/{id}.png")
}
