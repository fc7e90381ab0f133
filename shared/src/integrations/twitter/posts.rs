//! What a page of posts brings: mentions, or posts with a hashtag.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use tracing::warn;

use super::answers::{Page, Post};
use super::api::was_refused;
use super::records::{Posts, tags_among};
use super::streams::Stream;
use super::{Settings, Twitter};
use crate::sdk::{Activity, LastRecord, Operation, Place, Result, Run, StreamOutput, SyncError};

/// The most that X gives at once.
pub(super) const PER_PAGE: u32 = 100;

pub(super) fn output(
    stream: &Stream,
    place: &Place,
    page: Result<Page<Post>>,
    run: &Run<Twitter>,
) -> Result<StreamOutput<Stream>> {
    let page = match page {
        Err(error) if too_long_ago(stream, &error) => return Ok(what_there_is(stream)),
        page => page?,
    };
    let next = page.place_after(place, |post| &post.id)?;
    let newest = page.records.iter().map(|post| post.created_at).max();
    let last = page.records.last();
    Ok(StreamOutput {
        last_record: last.map(|last| LastRecord { id: last.id.clone(), at: last.created_at }),
        next_page: next.map(|place| stream.at(place)),
        mark: newest.map(|newest| newest.to_rfc3339()),
        operations: vec![Operation::UpsertActivities(activities(
            stream,
            &page,
            &run.connection.settings,
        ))],
        ..StreamOutput::empty()
    })
}

/// The search reaches back seven days and refuses to be asked for more. We ask for no more, but a
/// run may have waited since it began, and clocks are not all right.
fn too_long_ago(stream: &Stream, error: &SyncError) -> bool {
    stream.since().is_some() && was_refused(error, StatusCode::BAD_REQUEST)
}

fn what_there_is(stream: &Stream) -> StreamOutput<Stream> {
    let list = stream.list().unwrap_or_default();
    warn!(list, "X lists no posts from as long ago as they were read; reading what there is");
    StreamOutput { next_page: Some(stream.of_everything()), ..StreamOutput::empty() }
}

fn activities(stream: &Stream, page: &Page<Post>, settings: &Settings) -> Vec<Activity> {
    let tag = match stream {
        Stream::Hashtag { tag, .. } => Some(tag),
        Stream::Account | Stream::Followers { .. } | Stream::Mentions { .. } => None,
    };
    let posts = Posts::of_kind(if tag.is_some() { "hashtag" } else { "mention" }, &page.includes);
    let activity = |post| {
        let tags: BTreeSet<_> = match tag {
            Some(tag) => tags_among(&settings.hashtags, post).chain([tag]).collect(),
            None => BTreeSet::new(),
        };
        posts.activity(post, &tags)
    };
    page.records.iter().map(activity).collect()
}
