//! The integration that reads a forum: boards page by page, and the thread of each post.
//!
//! What it remembers is the time its last whole run began. A check reads a board until it comes to a
//! post that has not been touched since.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Map;
use shared::domain::RunMode;
use shared::sdk::{
    Activity, CheckSchedule, Connection, Identity, Integration, LastRecord, Member, Operation,
    RecordLimit, Result, Run, RunSummary, StreamOutput,
};

use super::forum::{Forum, Record};
use super::gate::{Gate, Point};

/// Rationed: checked at every second tick, and only so many records in ten minutes.
pub(super) struct Reader<const RATIONED: bool> {
    pub(super) forums: Arc<[Forum]>,
    /// Of the worker that runs it.
    pub(super) gate: Gate,
}

pub(super) const RATION: RecordLimit =
    RecordLimit { records: 8, per: Duration::from_secs(600), onboarding_factor: 0.5 };

#[derive(Debug, Deserialize)]
pub(super) struct Settings {
    forum: usize,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// Everything older than this has been read.
    pub(super) read_until: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub(super) enum Stream {
    Board { forum: usize, board: usize, page: usize },
    Thread { forum: usize, post: String },
}

type Output = StreamOutput<Stream>;

impl<const RATIONED: bool> Integration for Reader<RATIONED> {
    const KIND: &'static str = if RATIONED { "rationed_forum" } else { "forum" };
    const CHECKS: CheckSchedule =
        if RATIONED { CheckSchedule::EveryTicks(2) } else { CheckSchedule::EveryTick };
    const LIMIT: Option<RecordLimit> = if RATIONED { Some(RATION) } else { None };
    const CONCURRENCY: usize = 3;

    type Settings = Settings;
    type State = State;
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, connection: &Connection<Self>) -> Result<()> {
        let forum = &self.forums[connection.settings.forum];
        self.gate.pass(Point::Preparing).await;
        forum.call("the run")
    }

    async fn streams(&self, run: &Run<Self>) -> Result<Vec<Stream>> {
        let forum = run.connection.settings.forum;
        self.gate.pass(Point::Listing).await;
        self.forums[forum].call("the run")?;
        let boards = 0..self.forums[forum].boards();
        Ok(boards.map(|board| Stream::Board { forum, board, page: 0 }).collect())
    }

    /// Asks first and is held with the answer in hand: what a worker that wakes writes is stale.
    async fn process_stream(&self, stream: &Stream, _: &Run<Self>) -> Result<Output> {
        let answer = match stream {
            Stream::Board { forum, board, page } => self.board(*forum, *board, *page),
            Stream::Thread { forum, post } => self.thread(*forum, post),
        };
        let what = serde_json::to_value(stream).expect("a stream is JSON").to_string();
        let (Stream::Board { forum, .. } | Stream::Thread { forum, .. }) = stream;
        self.gate.pass(Point::Page).await;
        self.forums[*forum].call(&what)?;
        Ok(answer)
    }

    fn is_processing_finished(&self, _: &Stream, page: &Output, run: &Run<Self>) -> bool {
        let Connection { mode, state, .. } = &run.connection;
        let last = page.last_record.as_ref();
        *mode == RunMode::Check && last.is_some_and(|last| Some(last.at) < state.read_until)
    }

    /// What has a hole is not remembered as read.
    async fn postprocess(
        &self,
        run: &Run<Self>,
        summary: &RunSummary<Stream>,
    ) -> Result<Option<State>> {
        self.gate.pass(Point::Closing).await;
        self.forums[run.connection.settings.forum].call("the run")?;
        let whole = summary.failed().next().is_none();
        Ok(whole.then_some(State { read_until: Some(run.connection.started_at) }))
    }
}

impl<const RATIONED: bool> Reader<RATIONED> {
    fn board(&self, forum: usize, board: usize, number: usize) -> Output {
        let page = self.forums[forum].page(board, number);
        let threads = page.posts.iter().filter(|post| !post.replies.is_empty());
        Output {
            operations: vec![upsert(page.posts.iter().map(|post| &post.post))],
            last_record: page
                .posts
                .last()
                .map(|post| LastRecord { id: post.post.source_id.clone(), at: post.active_at() }),
            new_streams: threads
                .map(|post| Stream::Thread { forum, post: post.post.source_id.clone() })
                .collect(),
            next_page: (!page.is_last).then_some(Stream::Board { forum, board, page: number + 1 }),
            ..Output::empty()
        }
    }

    fn thread(&self, forum: usize, post: &str) -> Output {
        let replies = self.forums[forum].replies(post);
        Output { operations: vec![upsert(&replies)], ..Output::empty() }
    }
}

fn upsert<'a>(records: impl IntoIterator<Item = &'a Record>) -> Operation {
    Operation::UpsertActivities(records.into_iter().map(activity).collect())
}

/// The body says which version it is.
fn activity(record: &Record) -> Activity {
    let author = Identity {
        platform: "forum".into(),
        username: record.author.clone(),
        source_id: Some(format!("id of {}", record.author)),
    };
    Activity {
        platform: "forum".into(),
        kind: if record.parent.is_some() { "reply" } else { "post" }.into(),
        source_id: record.source_id.clone(),
        source_parent_id: record.parent.clone(),
        source_parent_platform: None,
        timestamp: record.versions[0],
        title: None,
        body: Some(record.version().to_string()),
        url: None,
        channel: None,
        attributes: Map::new(),
        score: 6,
        is_contribution: true,
        member: Member::of(author),
        object_member: None,
    }
}
