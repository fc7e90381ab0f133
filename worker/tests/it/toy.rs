//! An integration that reads whatever platform the test makes up, and what comes of it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Map;
use shared::sdk::{
    Activity, CheckSchedule, Connection, EndedStream, Identity, Integration, LastRecord, Member,
    Operation, RecordLimit, Result, Run, RunSummary, StreamOutput,
};

pub(crate) use crate::platform::{Asked, Platform};

/// A page of a list, and another sort of stream beside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub(crate) enum Stream {
    Page { list: String, page: u32 },
    Reply { list: String, page: u32 },
}

pub(crate) fn page(list: &str, page: u32) -> Stream {
    Stream::Page { list: list.to_owned(), page }
}

pub(crate) fn reply(list: &str, page: u32) -> Stream {
    Stream::Reply { list: list.to_owned(), page }
}

pub(crate) type Output = StreamOutput<Stream>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    #[serde(default, rename = "forum")]
    pub(crate) _forum: String,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) runs: u32,
}

macro_rules! toy {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $checks:expr, $limit:expr) => {
        $(#[$doc])*
        pub(crate) struct $name(pub(crate) Platform);

        impl Integration for $name {
            const KIND: &'static str = $kind;
            const CHECKS: CheckSchedule = $checks;
            const LIMIT: Option<RecordLimit> = $limit;

            type Settings = Settings;
            type State = State;
            type Prepared = ();
            type Stream = Stream;

            async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
                self.0.preprocess().await
            }

            async fn streams(&self, _: &Run<Self>) -> Result<Vec<Stream>> {
                self.0.first().await
            }

            async fn process_stream(&self, stream: &Stream, _: &Run<Self>) -> Result<Output> {
                self.0.ask(stream).await
            }

            fn is_processing_finished(&self, _: &Stream, page: &Output, run: &Run<Self>) -> bool {
                let seen = (page.records(), page.last_record.clone());
                self.0.note_seen_by_stop_rule(seen);
                page.last_record
                    .as_ref()
                    .is_some_and(|last| run.is_past(Duration::from_secs(3600), last.at))
            }

            async fn postprocess(
                &self,
                run: &Run<Self>,
                summary: &RunSummary<Stream>,
            ) -> Result<Option<State>> {
                let ended = summary.streams.iter().map(|ended| EndedStream {
                    stream: ended.stream.clone(),
                    failed: ended.failed,
                    mark: ended.mark.clone(),
                });
                self.0.postprocess(ended.collect()).await?;
                Ok(Some(State { runs: run.connection.state.runs + 1 }))
            }
        }
    };
}

toy!(
    /// Checked at every third tick, without a limit.
    Toy,
    "toy",
    CheckSchedule::EveryTicks(3),
    None
);
toy!(
    /// Ten records in an hour; an onboarding may take half of them.
    RationedToy,
    "rationed_toy",
    CheckSchedule::EveryTick,
    Some(RecordLimit { records: 10, per: Duration::from_secs(3600), onboarding_factor: 0.5 })
);

/// A page of comments `<list>-<page>-<n>`, each by a person of its own.
pub(crate) fn comments(asked: &Asked, count: usize) -> Output {
    let at: DateTime<Utc> = "2024-05-01T12:00:00Z".parse().unwrap();
    let comments: Vec<Activity> = (0..count)
        .map(|n| comment(&format!("{}-{}-{n}", asked.list, asked.page), &format!("user{n}"), at))
        .collect();
    let last_record =
        comments.last().map(|last| LastRecord { id: last.source_id.clone(), at: last.timestamp });
    let operations = vec![Operation::UpsertActivities(comments)];
    Output { operations, last_record, ..Output::empty() }
}

/// Comments, and a next page until `pages` have been read.
pub(crate) fn pages(asked: &Asked, pages: u32, records: usize) -> Output {
    let next_page = (asked.page < pages).then(|| page(&asked.list, asked.page + 1));
    Output { next_page, ..comments(asked, records) }
}

pub(crate) fn comment(source_id: &str, username: &str, at: DateTime<Utc>) -> Activity {
    let identity = Identity { platform: "toy".into(), username: username.into(), source_id: None };
    Activity {
        platform: "toy".into(),
        kind: "comment".into(),
        source_id: source_id.into(),
        source_parent_id: None,
        source_parent_platform: None,
        timestamp: at,
        title: None,
        body: Some(format!("body of {source_id}")),
        url: None,
        channel: None,
        attributes: Map::new(),
        score: 6,
        is_contribution: true,
        member: Member::of(identity),
        object_member: None,
    }
}
