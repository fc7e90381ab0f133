//! Issues, their comments and their closings. Comments on pull requests are issues' comments, too.

use serde_json::json;

use super::{
    ISSUE_CLOSED, ISSUE_COMMENT, ISSUE_OPENED, Kind, PULL_COMMENT, People, activity, attributes,
    iso, said,
};
use crate::integrations::github::answers::{Comment, Event, Issue};
use crate::sdk::Activity;

/// The issue itself, without what is below it.
pub(in super::super) fn opened(issue: &Issue, channel: &str, people: &mut People) -> Activity {
    let member = people.author(issue.author.clone());
    let opened = activity(ISSUE_OPENED, issue.id.clone(), issue.created_at, channel, member);
    Activity {
        title: Some(issue.title.clone()),
        body: said(issue.body_text.clone()),
        url: Some(issue.url.clone()),
        attributes: attributes([("state", json!(issue.state.to_lowercase()))]),
        ..opened
    }
}

/// What all closings of an issue have in common.
pub(in super::super) struct Closed<'a> {
    pub(in super::super) issue: &'a str,
    pub(in super::super) state: &'a str,
    pub(in super::super) channel: &'a str,
}

impl Closed<'_> {
    pub(in super::super) fn activity(&self, event: Event, people: &mut People) -> Activity {
        let member = people.author(event.actor);
        let who = &member.identity.username;
        let id = format!("gen-CE_{}_{who}_{}", self.issue, iso(event.created_at));
        let closed = activity(ISSUE_CLOSED, id, event.created_at, self.channel, member);
        Activity {
            source_parent_id: Some(self.issue.to_owned()),
            url: Some(event.url),
            attributes: attributes([("state", json!(self.state.to_lowercase()))]),
            ..closed
        }
    }
}

pub(in super::super) fn issue_comment(
    comment: Comment,
    issue: &str,
    channel: &str,
    people: &mut People,
) -> Activity {
    commented(ISSUE_COMMENT, comment, issue, channel, people)
}

pub(in super::super) fn pull_comment(
    comment: Comment,
    pull: &str,
    channel: &str,
    people: &mut People,
) -> Activity {
    commented(PULL_COMMENT, comment, pull, channel, people)
}

fn commented(
    kind: Kind,
    comment: Comment,
    parent: &str,
    channel: &str,
    people: &mut People,
) -> Activity {
    let member = people.author(comment.author);
    Activity {
        source_parent_id: Some(parent.to_owned()),
        body: said(comment.body_text),
        url: Some(comment.url),
        ..activity(kind, comment.id, comment.created_at, channel, member)
    }
}
