//! What is below an item: as much of it as came along, and streams for what did not fit.

use chrono::{DateTime, Utc};

use super::Github;
use super::answers::{
    Comment, Connection, Discussion, DiscussionComment, Issue, IssueEvent, Pull, PullCommit,
    PullEvent, PullHead, ReviewComment, Thread,
};
use super::records::issues::Closed;
use super::records::{People, commits, discussions, issues, pulls};
use super::streams::{Page, Rest, Stream};
use crate::sdk::{Activity, Operation, Run, StreamOutput};

/// What a page brings.
#[derive(Default)]
pub(super) struct Found {
    pub(super) activities: Vec<Activity>,
    pub(super) children: Vec<Stream>,
    pub(super) people: People,
}

impl Found {
    pub(super) fn output(mut self, run: &Run<Github>) -> StreamOutput<Stream> {
        self.children.extend(self.people.questions(run));
        StreamOutput {
            operations: vec![Operation::UpsertActivities(self.activities)],
            new_streams: self.children,
            ..StreamOutput::empty()
        }
    }

    pub(super) fn pull(&mut self, pull: Pull, page: &Page) {
        self.activities.push(pulls::opened(&pull, &mut self.people));
        let Pull { head, comments, timeline_items, review_threads, commits, .. } = pull;
        let item = Rest::of(page, &head.id);
        let old = |comment: &Comment| is_known(comment, page.since);
        if comments.last().is_some_and(|last| !old(last)) {
            self.children.extend(item.beyond(&comments).map(Stream::PullComments));
        }
        self.children.extend(item.beyond(&timeline_items).map(Stream::PullTimeline));
        self.children.extend(item.beyond(&review_threads).map(Stream::PullReviewThreads));
        self.children
            .extend(commits.as_ref().and_then(|it| item.beyond(it)).map(Stream::PullCommits));
        self.pull_comments(comments, &head.id, &head.repository.url);
        self.pull_events(timeline_items, &head);
        self.review_threads(review_threads, &head, &item);
        self.commits(commits.into_iter().flat_map(|mut commits| commits.items()), &head);
    }

    pub(super) fn issue(&mut self, issue: Issue, channel: &str, page: &Page) {
        self.activities.push(issues::opened(&issue, channel, &mut self.people));
        let Issue { id, state, comments, timeline_items, .. } = issue;
        let item = Rest::of(page, &id);
        if page.since.is_some() && came_from_elsewhere(&timeline_items) {
            let whole = Rest { since: None, ..item };
            self.children.push(Stream::IssueComments(whole.clone()));
            self.children.push(Stream::IssueTimeline(whole));
        } else {
            if comments.last().is_some_and(|last| !is_known(last, page.since)) {
                self.children.extend(item.beyond(&comments).map(Stream::IssueComments));
            }
            self.children.extend(item.beyond(&timeline_items).map(Stream::IssueTimeline));
        }
        self.issue_comments(comments, &id, channel);
        self.closings(timeline_items, &Closed { issue: &id, state: &state, channel });
    }

    pub(super) fn discussion(&mut self, discussion: Discussion, channel: &str, page: &Page) {
        self.activities.push(discussions::started(&discussion, channel, &mut self.people));
        let item = Rest::of(page, &discussion.id);
        self.children.extend(item.beyond(&discussion.comments).map(Stream::DiscussionComments));
        self.discussion_comments(discussion.comments, &discussion.id, channel, &item);
    }

    pub(super) fn pull_comments(
        &mut self,
        mut comments: Connection<Comment>,
        pull: &str,
        channel: &str,
    ) {
        for comment in comments.items() {
            let activity = issues::pull_comment(comment, pull, channel, &mut self.people);
            self.activities.push(activity);
        }
    }

    pub(super) fn issue_comments(
        &mut self,
        mut comments: Connection<Comment>,
        issue: &str,
        channel: &str,
    ) {
        for comment in comments.items() {
            let activity = issues::issue_comment(comment, issue, channel, &mut self.people);
            self.activities.push(activity);
        }
    }

    pub(super) fn pull_events(&mut self, mut events: Connection<PullEvent>, pull: &PullHead) {
        for event in events.items() {
            self.activities.extend(pulls::event(event, pull, &mut self.people));
        }
    }

    pub(super) fn closings(&mut self, mut events: Connection<IssueEvent>, closed: &Closed<'_>) {
        for event in events.items() {
            if let IssueEvent::Closed(event) = event {
                self.activities.push(closed.activity(*event, &mut self.people));
            }
        }
    }

    pub(super) fn review_threads(
        &mut self,
        mut threads: Connection<Thread>,
        pull: &PullHead,
        item: &Rest,
    ) {
        for Thread { id, comments } in threads.items() {
            let rest = item.sibling(&id).beyond(&comments);
            self.children.extend(rest.map(Stream::PullReviewThreadComments));
            self.review_comments(comments, pull);
        }
    }

    pub(super) fn review_comments(
        &mut self,
        mut comments: Connection<ReviewComment>,
        pull: &PullHead,
    ) {
        for comment in comments.items() {
            self.activities.extend(pulls::review_comment(comment, pull, &mut self.people));
        }
    }

    pub(super) fn commits(
        &mut self,
        commits: impl IntoIterator<Item = PullCommit>,
        pull: &PullHead,
    ) {
        let commits = commits.into_iter();
        self.activities.extend(commits.filter_map(|it| commits::authored(it.commit, pull)));
    }

    pub(super) fn discussion_comments(
        &mut self,
        mut comments: Connection<DiscussionComment>,
        discussion: &str,
        channel: &str,
        item: &Rest,
    ) {
        for mut comment in comments.items() {
            let id = comment.id.clone();
            let replies = comment.replies.take();
            let activity = discussions::comment(comment, discussion, channel, &mut self.people);
            self.activities.push(activity);
            if let Some(replies) = replies {
                let rest = item.sibling(&id).beyond(&replies);
                self.children.extend(rest.map(Stream::DiscussionReplies));
                self.replies(replies, &id, channel);
            }
        }
    }

    pub(super) fn replies(
        &mut self,
        mut replies: Connection<DiscussionComment>,
        comment: &str,
        channel: &str,
    ) {
        for reply in replies.items() {
            let activity = discussions::comment(reply, comment, channel, &mut self.people);
            self.activities.push(activity);
        }
    }
}

impl Rest {
    /// All of what is below an item of this page.
    fn of(page: &Page, item: &str) -> Self {
        let repo = page.repo.clone();
        Self { repo, of: item.to_owned(), since: page.since, cursor: None, read: 0 }
    }

    /// All of what is below another item.
    fn sibling(&self, item: &str) -> Self {
        Self { of: item.to_owned(), cursor: None, read: 0, ..self.clone() }
    }

    /// What comes after the page that came along, if anything does.
    fn beyond<T>(&self, came: &Connection<T>) -> Option<Self> {
        let cursor = Some(came.next()?.to_owned());
        Some(Self { cursor, read: came.len() as u64, ..self.clone() })
    }
}

/// An issue that was transferred has a past that was never read here, however old it is.
fn came_from_elsewhere(events: &Connection<IssueEvent>) -> bool {
    events.iter().any(|event| matches!(event, IssueEvent::Transferred {}))
}

/// Comments come in the order of their last update: after one that is known, all are.
pub(super) fn is_known(comment: &Comment, since: Option<DateTime<Utc>>) -> bool {
    since.is_some_and(|since| comment.updated_at < since)
}
