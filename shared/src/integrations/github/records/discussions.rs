//! Discussions, their comments, and the replies to those.

use serde_json::json;

use super::{
    DISCUSSION_ANSWER, DISCUSSION_COMMENT, DISCUSSION_STARTED, People, activity, attributes, said,
};
use crate::integrations::github::answers::{Discussion, DiscussionComment};
use crate::sdk::Activity;

/// The discussion itself, without what is below it.
pub(in super::super) fn started(
    discussion: &Discussion,
    channel: &str,
    people: &mut People,
) -> Activity {
    let member = people.author(discussion.author.clone());
    let (id, at) = (discussion.id.clone(), discussion.created_at);
    Activity {
        title: Some(discussion.title.clone()),
        body: said(discussion.body_text.clone()),
        url: Some(discussion.url.clone()),
        attributes: attributes([("category", discussion.category.clone())]),
        ..activity(DISCUSSION_STARTED, id, at, channel, member)
    }
}

/// Below the discussion, or below the comment that it answers.
pub(in super::super) fn comment(
    comment: DiscussionComment,
    parent: &str,
    channel: &str,
    people: &mut People,
) -> Activity {
    let kind = if comment.is_answer { DISCUSSION_ANSWER } else { DISCUSSION_COMMENT };
    let member = people.author(comment.author);
    Activity {
        source_parent_id: Some(parent.to_owned()),
        body: said(comment.body_text),
        url: Some(comment.url),
        attributes: attributes([("isAnswer", json!(comment.is_answer))]),
        ..activity(kind, comment.id, comment.created_at, channel, member)
    }
}
