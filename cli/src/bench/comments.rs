//! What becomes of a page of comments: the same on every side, as an author of an integration would
//! write it. HTML is kept as it came. Cleaning it costs more than all the rest, and would make any
//! engine look cheap.

use serde_json::{Map, json};
use shared::sdk::{Activity, Identity, LastRecord, Member, Operation};

use super::wire;

pub(super) const PLATFORM: &str = "bench_forum";

pub(super) fn operations(comments: Vec<wire::Comment>) -> Vec<Operation> {
    vec![Operation::UpsertActivities(comments.into_iter().map(activity).collect())]
}

pub(super) fn last_record(comments: &[wire::Comment]) -> Option<LastRecord> {
    comments.last().map(|last| LastRecord { id: last.id_code.clone(), at: last.created_at })
}

fn activity(comment: wire::Comment) -> Activity {
    let author = &comment.user.username;
    let attributes = Map::from_iter([
        ("thread".to_owned(), json!(comment.parent_id_code.is_some())),
        ("articleId".to_owned(), json!(comment.article_id)),
        ("userUrl".to_owned(), json!(format!("https://dev.to/{author}"))),
    ]);
    Activity {
        platform: PLATFORM.to_owned(),
        kind: comment.type_of,
        url: Some(format!("https://dev.to/{author}/comment/{}", comment.id_code)),
        source_id: comment.id_code,
        source_parent_id: comment.parent_id_code,
        source_parent_platform: None,
        timestamp: comment.created_at,
        title: None,
        body: Some(comment.body_html),
        channel: None,
        attributes,
        score: 6,
        is_contribution: true,
        member: member(comment.user),
        object_member: None,
    }
}

fn member(user: wire::User) -> Member {
    let url = format!("https://dev.to/{}", user.username);
    let identity = Identity {
        platform: PLATFORM.to_owned(),
        username: user.username,
        source_id: Some(user.user_id.to_string()),
    };
    Member { display_name: Some(user.name), ..Member::of(identity) }
        .attribute("url", Some(url))
        .attribute("avatarUrl", Some(user.profile_image))
        .attribute("websiteUrl", user.website_url)
        .attribute("twitter", user.twitter_username)
        .attribute("github", user.github_username)
}
