//! What we make of users and posts: members and activities.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::Twitter;
use super::answers::{Includes, LongText, Media, Post, User};
use super::settings::Hashtag;
use crate::sdk::{Activity, Identity, Integration, Member, generated_id, html, said};

const PLATFORM: &str = Twitter::PLATFORM;

pub(super) fn member(user: &User) -> Member {
    let url = format!("https://twitter.com/{}", user.username);
    let identity = Identity {
        platform: PLATFORM.to_owned(),
        username: user.username.clone(),
        source_id: Some(user.id.clone()),
    };
    let reach = user.followers().map(|followers| (PLATFORM.to_owned(), followers));
    Member {
        display_name: said(user.name.clone()),
        reach: reach.into_iter().collect(),
        ..Member::of(identity)
    }
    .attribute("sourceId", Some(user.id.as_str()))
    .attribute("url", Some(url))
    .attribute("avatarUrl", said(user.profile_image_url.clone()))
    .attribute("location", said(user.location.clone()))
    .attribute("bio", said(user.description.clone()))
}

/// Somebody follows a profile; X does not say since when.
pub(super) fn follow(profile: &str, user: &User, at: DateTime<Utc>) -> Activity {
    Activity {
        url: Some(format!("https://twitter.com/{}", user.username)),
        score: 2,
        ..Activity::by(member(user), "follow", follow_id(profile, user), at)
    }
}

/// As the forerunner made ids of what has none, but of numbers that stay: it took the name, and who
/// took another name followed twice; and it took no notice of whom one follows.
fn follow_id(profile: &str, user: &User) -> String {
    generated_id(&format!("{}>{profile}-follow-0-{PLATFORM}", user.id))
}

/// What a page of posts makes of each of them.
pub(super) struct Posts<'a> {
    kind: &'static str,
    users: BTreeMap<&'a str, &'a User>,
    media: BTreeMap<&'a str, &'a Media>,
}

impl<'a> Posts<'a> {
    pub(super) fn of_kind(kind: &'static str, beside: &'a Includes) -> Self {
        Self {
            kind,
            users: beside.users.iter().map(|user| (user.id.as_str(), user)).collect(),
            media: beside.media.iter().map(|media| (media.media_key.as_str(), media)).collect(),
        }
    }

    pub(super) fn activity(&self, post: &Post, tags: &BTreeSet<&Hashtag>) -> Activity {
        let text = post.note_tweet.as_ref().map_or(&post.text, |long| &long.text);
        Activity {
            body: Some(html::sanitize(text)),
            url: Some(format!("https://twitter.com/i/status/{}", post.id)),
            attributes: self.attributes(post, tags),
            score: 6,
            is_contribution: true,
            ..Activity::by(self.author(post), self.kind, first_id(post), post.created_at)
        }
    }

    /// X leaves out who was suspended since; what they wrote is somebody's still, by number.
    fn author(&self, post: &Post) -> Member {
        let by_number = || {
            let source_id = Some(post.author_id.clone());
            let platform = PLATFORM.to_owned();
            Member::of(Identity { platform, username: String::new(), source_id })
                .attribute("sourceId", Some(post.author_id.as_str()))
        };
        self.users.get(post.author_id.as_str()).map_or_else(by_number, |user| member(user))
    }

    /// Of two pages that bring one post, for two hashtags, each may know but its own. The store keeps
    /// the attributes that a later mention leaves out, but not what is inside of one: so every
    /// hashtag is an attribute of its own, and `hashtag` is the first of those that are known.
    fn attributes(&self, post: &Post, tags: &BTreeSet<&Hashtag>) -> Map<String, Value> {
        let mut attributes = Map::new();
        let keys = post.attachments.iter().flat_map(|attachments| &attachments.media_keys);
        let media: Vec<_> = keys.filter_map(|key| self.media.get(key.as_str())).collect();
        if !media.is_empty() {
            attributes.insert("attachments".to_owned(), media.into_iter().map(shown).collect());
        }
        if let Some(entities) = entities(post) {
            attributes.insert("entities".to_owned(), entities.clone());
        }
        if let Some(first) = tags.first() {
            attributes.insert("hashtag".to_owned(), json!(first.as_str()));
        }
        attributes.extend(tags.iter().map(|tag| (format!("hashtag/{tag}"), json!(true))));
        attributes
    }
}

/// The hashtags that we follow and that this post says it has.
pub(super) fn tags_among<'a>(
    followed: &'a BTreeSet<Hashtag>,
    post: &'a Post,
) -> impl Iterator<Item = &'a Hashtag> {
    let of_text = [post.entities.as_ref(), entities(post)].into_iter().flatten();
    let lists = of_text.filter_map(|entities| entities.get("hashtags")?.as_array());
    let tags = lists.flatten().filter_map(|hashtag| hashtag.get("tag")?.as_str());
    tags.filter_map(|tag| {
        let tag = tag.to_lowercase();
        followed.iter().find(|followed| followed.as_str() == tag)
    })
}

/// The same for every version of a post: its edits are not others.
fn first_id(post: &Post) -> &str {
    post.edit_history_tweet_ids.first().unwrap_or(&post.id)
}

fn entities(post: &Post) -> Option<&Value> {
    let long = post.note_tweet.as_ref();
    long.and_then(|LongText { entities, .. }| entities.as_ref()).or(post.entities.as_ref())
}

fn shown(media: &&Media) -> Value {
    let mut whole = media.rest.clone();
    whole.insert("media_key".to_owned(), json!(media.media_key));
    whole.into()
}
