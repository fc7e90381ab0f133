//! Users, posts and media as X sends them: the fields that were asked for, and those that always
//! come.

use std::collections::BTreeSet;

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use super::community::Community;
use super::parameters::{Parameters, token_of};
use super::problems::Problem;
use super::records::{Post, PostId, User, UserId};
use super::text::{self, Found};

pub(super) fn user(user: &User, fields: &BTreeSet<&str>) -> Value {
    let id = user.id.0;
    let whole = json!({
        "id": user.id.to_string(),
        "username": user.username,
        "name": user.name,
        "description": user.description,
        "location": user.location,
        "profile_image_url": format!("https://pbs.twimg.com/profile_images/{id}/portrait_normal.jpg"),
        "protected": user.standing == super::Standing::Protected,
        "public_metrics": {
            "followers_count": user.followers_count, "following_count": id % 997,
            "tweet_count": id % 4001, "listed_count": id % 13,
        },
        "url": "",
        "verified": false,
    });
    only(whole, fields)
}

/// A page of posts, and beside it those who wrote them and what they attached.
pub(super) fn posts(
    posts: &[&Post],
    more: bool,
    community: &Community,
    asked: &Parameters,
) -> Result<Value, Problem> {
    let (fields, expansions) = (asked.post_fields()?, asked.expansions()?);
    let data: Vec<_> = posts.iter().map(|it| only(whole_post(it, community), &fields)).collect();
    let (user_fields, media_fields) = (asked.user_fields()?, asked.media_fields()?);
    let mut includes = Map::new();
    if expansions.contains("author_id") && !posts.is_empty() {
        let authors: BTreeSet<UserId> = posts.iter().map(|post| post.author).collect();
        let authors = authors.into_iter().map(|id| user(community.user(id), &user_fields));
        includes.insert("users".to_owned(), authors.collect());
    }
    let media: Vec<_> = posts
        .iter()
        .filter(|post| post.photo)
        .map(|post| only(photo(post.original()), &media_fields))
        .collect();
    if expansions.contains("attachments.media_keys") && !media.is_empty() {
        includes.insert("media".to_owned(), media.into());
    }
    let mut meta = json!({"result_count": posts.len()});
    if let (Some(newest), Some(oldest)) = (posts.first(), posts.last()) {
        meta["newest_id"] = json!(newest.id.to_string());
        meta["oldest_id"] = json!(oldest.id.to_string());
        if more {
            meta["next_token"] = json!(token_of(oldest.id.0));
        }
    }
    Ok(page(data, includes, meta))
}

/// Lists that are empty are left out.
pub(super) fn page(data: Vec<Value>, includes: Map<String, Value>, meta: Value) -> Value {
    let mut page = json!({"meta": meta});
    if !data.is_empty() {
        page["data"] = data.into();
    }
    if !includes.is_empty() {
        page["includes"] = includes.into();
    }
    page
}

fn whole_post(post: &Post, community: &Community) -> Value {
    let shown = text::shortened(&post.text);
    let mut whole = json!({
        "id": post.id.to_string(),
        "text": text::escaped(shown.as_deref().unwrap_or(&post.text)),
        "author_id": post.author.to_string(),
        "conversation_id": post.original().to_string(),
        "created_at": post.created_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "edit_history_tweet_ids": post.versions.iter().map(PostId::to_string).collect::<Vec<_>>(),
        "lang": "en",
        "entities": entities(shown.as_deref().unwrap_or(&post.text), community),
    });
    if shown.is_some() {
        let entities = entities(&post.text, community);
        whole["note_tweet"] = json!({"text": text::escaped(&post.text), "entities": entities});
    }
    if post.photo {
        whole["attachments"] = json!({"media_keys": [media_key(post.original())]});
    }
    whole
}

fn entities(text: &str, community: &Community) -> Value {
    let place = |found: &Found| json!({"start": found.at.start, "end": found.at.end});
    let hashtags = text::hashtags(text).into_iter().map(|found| {
        let mut tag = place(&found);
        tag["tag"] = found.word.into();
        tag
    });
    let mentions = text::mentions(text).into_iter().filter_map(|found| {
        let user = community.user_named(&found.word)?;
        let mut mention = place(&found);
        mention["username"] = json!(user.username);
        mention["id"] = json!(user.id.to_string());
        Some(mention)
    });
    let mut entities = Map::new();
    for (name, list) in [("hashtags", hashtags.collect()), ("mentions", mentions.collect())] {
        let list: Vec<Value> = list;
        if !list.is_empty() {
            entities.insert(name.to_owned(), list.into());
        }
    }
    entities.into()
}

fn photo(of: PostId) -> Value {
    json!({
        "media_key": media_key(of), "type": "photo", "width": 1200, "height": 800,
        "url": format!("https://pbs.twimg.com/media/{of}.jpg"), "alt_text": "A chart that goes up.",
    })
}

fn media_key(of: PostId) -> String {
    format!("3_{of}")
}

/// What is empty is left out, too.
fn only(mut whole: Value, fields: &BTreeSet<&str>) -> Value {
    if let Some(whole) = whole.as_object_mut() {
        whole.retain(|name, value| fields.contains(name.as_str()) && !is_nothing(value));
    }
    whole
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}
