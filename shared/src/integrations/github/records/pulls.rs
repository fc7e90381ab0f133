//! Pull requests, the steps of their lives, and what is said in their reviews.

use serde_json::{Map, Value, json};

use super::{
    Kind, PULL_ASSIGNED, PULL_CLOSED, PULL_MERGED, PULL_OPENED, PULL_REVIEW_REQUESTED,
    PULL_REVIEW_THREAD_COMMENT, PULL_REVIEWED, People, activity, attributes, iso, said,
};
use crate::integrations::github::answers::{
    Event, Person, Pull, PullEvent, PullHead, ReviewComment, Reviewer, Shown,
};
use crate::sdk::{Activity, Member};

/// The pull request itself, without what is below it.
pub(in super::super) fn opened(pull: &Pull, people: &mut People) -> Activity {
    let head = &pull.head;
    let member = people.author(pull.author.clone());
    let channel = &head.repository.url;
    Activity {
        title: Some(head.title.clone()),
        body: said(pull.body_text.clone()),
        url: Some(head.url.clone()),
        attributes: told(head),
        ..activity(PULL_OPENED, head.id.clone(), pull.created_at, channel, member)
    }
}

/// `None` for a review that its author has not finished yet.
pub(in super::super) fn event(
    event: PullEvent,
    pull: &PullHead,
    people: &mut People,
) -> Option<Activity> {
    Some(match event {
        PullEvent::Reviewed { author, submitted_at, state, body_text, url } => {
            let submitted_at = submitted_at?;
            let event = Event { actor: author, created_at: submitted_at, url };
            let mut reviewed = happened(PULL_REVIEWED, "PRR", event, pull, people);
            reviewed.body = said(body_text);
            reviewed.attributes.insert("reviewState".to_owned(), json!(state));
            reviewed
        }
        PullEvent::Merged(event) => happened(PULL_MERGED, "ME", event, pull, people),
        PullEvent::Closed(event) => happened(PULL_CLOSED, "CE", event, pull, people),
        PullEvent::Assigned { actor, created_at, assignee } => {
            let whom = people.author(assignee.and_then(Shown::into_this));
            let event = Event { actor, created_at, url: pull.url.clone() };
            done_to(PULL_ASSIGNED, "AE", event, whom, pull, people)
        }
        PullEvent::ReviewRequested { actor, created_at, requested_reviewer } => {
            let event = Event { actor, created_at, url: pull.url.clone() };
            review_requested(event, requested_reviewer, pull, people)
        }
        PullEvent::Another => return None,
    })
}

/// Of a team it is told which, and nothing of its members: to ask for them would cost as much as the
/// whole page, each time.
fn review_requested(
    event: Event,
    of: Option<Reviewer>,
    pull: &PullHead,
    people: &mut People,
) -> Activity {
    let requested = PULL_REVIEW_REQUESTED;
    match of {
        Some(Reviewer::Team(team)) => {
            let id = |who: &str, at: &str| {
                format!("gen-RRE_{}_{who}_{}_{at}", pull.id, team.combined_slug)
            };
            let mut activity = made(requested, id, event, pull, people);
            let team = json!({ "slug": team.combined_slug, "name": team.team_name });
            activity.attributes.insert("requestedTeam".to_owned(), team);
            activity
        }
        Some(Reviewer::Person(person)) => {
            let whom = people.person(*person);
            done_to(requested, "RRE", event, whom, pull, people)
        }
        Some(Reviewer::Another(_)) | None => {
            let whom = people.author(None::<Person>);
            done_to(requested, "RRE", event, whom, pull, people)
        }
    }
}

fn done_to(
    kind: Kind,
    prefix: &str,
    event: Event,
    whom: Member,
    pull: &PullHead,
    people: &mut People,
) -> Activity {
    let object = whom.identity.username.clone();
    let id = |who: &str, at: &str| format!("gen-{prefix}_{}_{who}_{object}_{at}", pull.id);
    Activity { object_member: Some(whom), ..made(kind, id, event, pull, people) }
}

fn happened(
    kind: Kind,
    prefix: &str,
    event: Event,
    pull: &PullHead,
    people: &mut People,
) -> Activity {
    let id = |who: &str, at: &str| format!("gen-{prefix}_{}_{who}_{at}", pull.id);
    made(kind, id, event, pull, people)
}

/// `id` is made of who did it and when.
fn made(
    kind: Kind,
    id: impl Fn(&str, &str) -> String,
    event: Event,
    pull: &PullHead,
    people: &mut People,
) -> Activity {
    let member = people.author(event.actor);
    let id = id(&member.identity.username, &iso(event.created_at));
    Activity {
        source_parent_id: Some(pull.id.clone()),
        url: Some(event.url),
        attributes: told(pull),
        ..activity(kind, id, event.created_at, &pull.repository.url, member)
    }
}

/// `None` for one whose review is not finished yet: only its author sees it.
pub(in super::super) fn review_comment(
    comment: ReviewComment,
    pull: &PullHead,
    people: &mut People,
) -> Option<Activity> {
    if comment.state == "PENDING" {
        return None;
    }
    let member = people.author(comment.author);
    let (kind, channel) = (PULL_REVIEW_THREAD_COMMENT, &pull.repository.url);
    Some(Activity {
        source_parent_id: Some(pull.id.clone()),
        body: said(comment.body_text),
        url: Some(comment.url),
        attributes: told(pull),
        ..activity(kind, comment.id, comment.created_at, channel, member)
    })
}

/// Everything about a pull request says how the pull request stands.
fn told(pull: &PullHead) -> Map<String, Value> {
    let labels = pull.labels.iter().flat_map(|labels| labels.nodes.iter().flatten().flatten());
    attributes([
        ("state", json!(pull.state.to_lowercase())),
        ("additions", json!(pull.additions)),
        ("deletions", json!(pull.deletions)),
        ("changedFiles", json!(pull.changed_files)),
        ("authorAssociation", json!(pull.author_association)),
        ("labels", labels.map(|label| json!(label.name)).collect()),
    ])
}
