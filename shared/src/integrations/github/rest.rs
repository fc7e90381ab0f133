//! What did not fit into the page of its item, a hundred at a time. An item that is gone by then has
//! no rest.

use serde::de::DeserializeOwned;
use serde_json::json;

use super::Github;
use super::answers::{
    Below, BelowComment, BelowIssue, BelowPull, BelowThread, Comment, Connection,
    DiscussionComment, PullCommit, PullEvent, Thread,
};
use super::below::{Found, is_known};
use super::lists::next_page;
use super::queries::{
    DISCUSSION_COMMENTS, DISCUSSION_REPLIES, ISSUE_COMMENTS, ISSUE_TIMELINE, PULL_COMMENTS,
    PULL_COMMITS, PULL_REVIEW_THREAD_COMMENTS, PULL_REVIEW_THREADS, PULL_TIMELINE, Query,
};
use super::records::issues::Closed;
use super::streams::{Rest, Stream};
use crate::sdk::{Result, Run, StreamOutput};

type Output = Result<StreamOutput<Stream>>;

impl Github {
    pub(super) async fn pull_comments(&self, rest: &Rest, run: &Run<Self>) -> Output {
        let below = self.below::<Below<Comment>>(PULL_COMMENTS, rest, run).await?;
        let Some(Below { parent, repository, page }) = below else { return nothing() };
        let next = rest.unless_known(&page)?.map(Stream::PullComments);
        let mut found = Found::default();
        found.pull_comments(page, &parent, &repository.url);
        Ok(StreamOutput { next_page: next, ..found.output(run) })
    }

    pub(super) async fn issue_comments(&self, rest: &Rest, run: &Run<Self>) -> Output {
        let below = self.below::<Below<Comment>>(ISSUE_COMMENTS, rest, run).await?;
        let Some(Below { parent, repository, page }) = below else { return nothing() };
        let next = rest.unless_known(&page)?.map(Stream::IssueComments);
        let mut found = Found::default();
        found.issue_comments(page, &parent, &repository.url);
        Ok(StreamOutput { next_page: next, ..found.output(run) })
    }

    pub(super) async fn pull_timeline(&self, rest: &Rest, run: &Run<Self>) -> Output {
        let below = self.below::<BelowPull<PullEvent>>(PULL_TIMELINE, rest, run).await?;
        let Some(BelowPull { pull, page }) = below else { return nothing() };
        let next = rest.next(&page)?.map(Stream::PullTimeline);
        let mut found = Found::default();
        found.pull_events(page, &pull);
        Ok(StreamOutput { next_page: next, ..found.output(run) })
    }

    pub(super) async fn issue_timeline(&self, rest: &Rest, run: &Run<Self>) -> Output {
        let below = self.below::<BelowIssue>(ISSUE_TIMELINE, rest, run).await?;
        let Some(BelowIssue { id, state, repository, page }) = below else { return nothing() };
        let next = rest.next(&page)?.map(Stream::IssueTimeline);
        let mut found = Found::default();
        found.closings(page, &Closed { issue: &id, state: &state, channel: &repository.url });
        Ok(StreamOutput { next_page: next, ..found.output(run) })
    }

    pub(super) async fn pull_review_threads(&self, rest: &Rest, run: &Run<Self>) -> Output {
        let below = self.below::<BelowPull<Thread>>(PULL_REVIEW_THREADS, rest, run).await?;
        let Some(BelowPull { pull, page }) = below else { return nothing() };
        let next = rest.next(&page)?.map(Stream::PullReviewThreads);
        let mut found = Found::default();
        found.review_threads(page, &pull, rest);
        Ok(StreamOutput { next_page: next, ..found.output(run) })
    }

    pub(super) async fn pull_review_thread_comments(&self, rest: &Rest, run: &Run<Self>) -> Output {
        let below = self.below::<BelowThread>(PULL_REVIEW_THREAD_COMMENTS, rest, run).await?;
        let Some(BelowThread { pull_request, page }) = below else { return nothing() };
        let next = rest.next(&page)?.map(Stream::PullReviewThreadComments);
        let mut found = Found::default();
        found.review_comments(page, &pull_request);
        Ok(StreamOutput { next_page: next, ..found.output(run) })
    }

    pub(super) async fn pull_commits(&self, rest: &Rest, run: &Run<Self>) -> Output {
        let below = self.below::<BelowPull<PullCommit>>(PULL_COMMITS, rest, run).await?;
        let Some(BelowPull { pull, mut page }) = below else { return nothing() };
        let next = rest.next(&page)?.map(Stream::PullCommits);
        let mut found = Found::default();
        found.commits(page.items(), &pull);
        Ok(StreamOutput { next_page: next, ..found.output(run) })
    }

    pub(super) async fn discussion_comments(&self, rest: &Rest, run: &Run<Self>) -> Output {
        let below = self.below::<Below<DiscussionComment>>(DISCUSSION_COMMENTS, rest, run).await?;
        let Some(Below { parent, repository, page }) = below else { return nothing() };
        let next = rest.next(&page)?.map(Stream::DiscussionComments);
        let mut found = Found::default();
        found.discussion_comments(page, &parent, &repository.url, rest);
        Ok(StreamOutput { next_page: next, ..found.output(run) })
    }

    pub(super) async fn discussion_replies(&self, rest: &Rest, run: &Run<Self>) -> Output {
        let below = self.below::<BelowComment>(DISCUSSION_REPLIES, rest, run).await?;
        let Some(BelowComment { parent, discussion: Some(discussion), page }) = below else {
            return nothing();
        };
        let next = rest.next(&page)?.map(Stream::DiscussionReplies);
        let mut found = Found::default();
        found.replies(page, &parent, &discussion.repository.url);
        Ok(StreamOutput { next_page: next, ..found.output(run) })
    }

    /// `None`: the item is gone.
    async fn below<T: DeserializeOwned>(
        &self,
        query: Query,
        rest: &Rest,
        run: &Run<Self>,
    ) -> Result<Option<T>> {
        let mut variables = json!({ "of": rest.of, "cursor": rest.cursor });
        if query.text.contains("$since") {
            variables["since"] = json!(rest.since);
        }
        let reply = self.api.query(query, variables, &run.connection.access).await?;
        if reply.is_gone() {
            return Ok(None);
        }
        reply.whole(format_args!("item {} of `{}`", rest.of, rest.repo.name)).map(Some)
    }
}

fn nothing() -> Output {
    Ok(StreamOutput::empty())
}

impl Rest {
    fn next<T>(&self, page: &Connection<T>) -> Result<Option<Self>> {
        let next = next_page(&self.repo.name, page, self.cursor.as_deref(), self.read)?;
        Ok(next.map(|(cursor, read)| Self { cursor: Some(cursor), read, ..self.clone() }))
    }

    fn unless_known(&self, page: &Connection<Comment>) -> Result<Option<Self>> {
        let known = page.last().is_some_and(|last| is_known(last, self.since));
        Ok(self.next(page)?.filter(|_| !known))
    }
}
