//! The pages of users and of organizations.

use serde::Serialize;

use super::{image, iso};
use crate::devto::records::{Organization, User};

#[derive(Serialize)]
pub(in crate::devto) struct UserAnswer<'a> {
    type_of: &'static str,
    id: u64,
    username: &'a str,
    name: &'a str,
    twitter_username: Option<&'a str>,
    github_username: Option<&'a str>,
    summary: Option<&'a str>,
    location: Option<&'a str>,
    website_url: Option<&'a str>,
    joined_at: String,
    profile_image: String,
}

impl<'a> UserAnswer<'a> {
    pub(in crate::devto) fn of(user: &'a User) -> Self {
        Self {
            type_of: "user",
            id: user.id.0,
            username: &user.username,
            name: &user.name,
            twitter_username: user.twitter_username.as_deref(),
            github_username: user.github_username.as_deref(),
            summary: user.summary.as_deref(),
            location: user.location.as_deref(),
            website_url: user.website_url.as_deref(),
            // The one date of the API that is written for people: "Feb  1, 2023".
            joined_at: user.joined_at.format("%b %e, %Y").to_string(),
            profile_image: image("user", user.id.0, 320),
        }
    }
}

#[derive(Serialize)]
pub(in crate::devto) struct OrganizationAnswer<'a> {
    type_of: &'static str,
    id: u64,
    username: &'a str,
    name: &'a str,
    summary: &'a str,
    twitter_username: Option<&'a str>,
    github_username: Option<&'a str>,
    url: &'a str,
    location: Option<&'a str>,
    tech_stack: Option<&'a str>,
    tag_line: Option<&'a str>,
    story: Option<&'a str>,
    joined_at: String,
    profile_image: String,
}

impl<'a> OrganizationAnswer<'a> {
    pub(in crate::devto) fn of(organization: &'a Organization) -> Self {
        Self {
            type_of: "organization",
            id: organization.id.0,
            username: &organization.username,
            name: &organization.name,
            summary: &organization.summary,
            twitter_username: organization.twitter_username.as_deref(),
            github_username: organization.github_username.as_deref(),
            url: &organization.url,
            location: organization.location.as_deref(),
            tech_stack: None,
            tag_line: None,
            story: None,
            joined_at: iso(organization.joined_at),
            profile_image: image("organization", organization.id.0, 640),
        }
    }
}
