//! What we make of comments and profiles: activities and members.

use serde_json::{Map, Value, json};
use url::Url;

use super::Devto;
use super::api::{Article, Profile};
use super::threads::{Author, Comment};
use crate::sdk::{Activity, Identity, Integration, Member, attributes, html, said};

/// The site as people see it, for the addresses of what they do there.
pub(super) struct Site(Url);

impl Site {
    pub(super) fn at(url: &str) -> anyhow::Result<Self> {
        Ok(Self(Url::parse(url)?))
    }

    /// `None` for what is left of a comment that was deleted or hidden.
    pub(super) fn activity(&self, article: &Article, comment: Comment) -> Option<Activity> {
        let Comment { id_code, parent, created_at, body_html, author } = comment;
        let author = author?;
        Some(Activity {
            url: Some(self.address(&[&author.username, "comment", &id_code])),
            attributes: self.attributes(article, &author, parent.is_some()),
            source_parent_id: parent,
            body: body_html.map(|body| html::sanitize(&body)),
            score: 6,
            is_contribution: true,
            ..Activity::by(
                self.person(&author.username, author.user_id, author.name),
                "comment",
                id_code,
                created_at,
            )
        })
    }

    fn attributes(&self, article: &Article, author: &Author, thread: bool) -> Map<String, Value> {
        attributes([
            ("thread", json!(thread)),
            ("userUrl", json!(self.address(&[&author.username]))),
            ("articleUrl", json!(article.url)),
            ("articleTitle", json!(article.title)),
        ])
    }

    /// Accounts elsewhere become attributes, not identities: anybody may enter any name there, and
    /// members are matched by identities.
    pub(super) fn member(&self, profile: Profile) -> Member {
        let twitter = said(profile.twitter_username);
        let github = said(profile.github_username);
        self.person(&profile.username, Some(profile.id), profile.name)
            .attribute("bio", said(profile.summary))
            .attribute("location", said(profile.location))
            .attribute_on(
                "twitter",
                "url",
                twitter.map(|name| format!("https://twitter.com/{name}")),
            )
            .attribute_on(
                "github",
                "url",
                github.as_ref().map(|name| format!("https://github.com/{name}")),
            )
            .attribute_on("github", "name", github)
    }

    fn person(&self, username: &str, user_id: Option<u64>, name: Option<String>) -> Member {
        let source_id = user_id.map(|id| id.to_string());
        let name = said(name);
        let identity = Identity {
            platform: Devto::KIND.to_owned(),
            username: username.to_owned(),
            source_id: source_id.clone(),
        };
        Member { display_name: name.clone(), ..Member::of(identity) }
            .attribute("sourceId", source_id)
            .attribute("url", Some(self.address(&[username])))
            .attribute("name", name)
    }

    fn address(&self, path: &[&str]) -> String {
        let mut url = self.0.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url.into()
    }
}
