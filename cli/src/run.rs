//! `millrace run`: all about one run; with `--follow` its progress until it ends.

use std::process::ExitCode;

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use shared::config::DatabaseArgs;
use shared::domain::{RunId, RunState, Stream, StreamId, StreamState};
use shared::explain::{Explanation, Reason, explain};
use shared::store::{RunFacts, Store, StreamCounts};

use crate::moment::{moment, moment_or_dash};
use crate::progress::{Output, follow};
use crate::runs::RunView;
use crate::{connections, stdout};

/// Failed streams that are shown, at the most.
const FAILED_SHOWN: i64 = 100;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Of the run
    id: RunId,
    /// Show its progress until it ends; exits with 0 if it is processed, with 1 if there is a hole
    #[arg(short, long, conflicts_with = "json")]
    follow: bool,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let store = connections::store(&args.database).await?;
    if args.follow {
        let state = follow(&store, args.id, Output::of_stdout()).await?;
        return Ok(ExitCode::from(u8::from(state != RunState::Processed)));
    }
    let run = Everything::about(&store, args.id).await?;
    if args.json {
        stdout::json(&run.view())?;
    } else {
        run.print()?;
    }
    Ok(ExitCode::SUCCESS)
}

struct Everything {
    facts: RunFacts,
    explanation: Explanation,
    tenant: String,
    failed: Vec<Stream>,
}

impl Everything {
    async fn about(store: &Store, id: RunId) -> anyhow::Result<Self> {
        // Why a run waits can be told without its kind's limit.
        let facts = store.run_facts(id, None).await?;
        let facts = facts.with_context(|| format!("there is no run {id}"))?;
        let tenants = store.tenants_called(&facts.run.tenant_id.to_string()).await?;
        Ok(Self {
            explanation: explain(&facts),
            tenant: tenants.into_iter().next().map(|tenant| tenant.name).unwrap_or_default(),
            failed: store.streams(id, Some(StreamState::Error), None, FAILED_SHOWN).await?,
            facts,
        })
    }

    fn print(&self) -> anyhow::Result<()> {
        let RunFacts { now, run, streams, .. } = &self.facts;
        let now = *now;
        let facts = [
            ("run", run.id.to_string()),
            ("integration", format!("{} {} of {}", run.kind, run.integration_id, self.tenant)),
            ("mode", format!("{}, asked for by {}", run.mode.as_str(), run.requested_by)),
            ("state", run.state.as_str().into()),
            ("why", self.explanation.sentence.clone()),
            ("goes on", moment_or_dash(self.explanation.goes_on_at, now)),
            ("about done", moment_or_dash(self.explanation.about_ends_at, now)),
            ("created", moment(run.created_at, now)),
            ("started", moment_or_dash(run.started_at, now)),
            ("ended", moment_or_dash(run.processed_at, now)),
            ("streams", streams_in_words(streams)),
            ("records", streams.records.to_string()),
            ("requests", self.requests().to_string()),
            ("error", run.error.clone().unwrap_or_else(|| "-".into())),
        ];
        for (name, fact) in facts {
            stdout::line(format!("{name:<12} {fact}"))?;
        }
        self.print_failed()
    }

    /// To begin and to close it, and those of its streams.
    fn requests(&self) -> i64 {
        self.facts.run.requests + self.facts.streams.requests
    }

    fn print_failed(&self) -> anyhow::Result<()> {
        if self.failed.is_empty() {
            return Ok(());
        }
        let (shown, failed) = (self.failed.len(), self.facts.streams.failed);
        stdout::line(format!("\nfailed streams ({shown} of {failed})"))?;
        let header = ["STREAM", "PAYLOAD", "ATTEMPTS", "CRASHES", "ENDED", "ERROR"];
        let rows = self.failed.iter().map(|stream| {
            [
                stream.id.to_string(),
                stdout::excerpt(&stream.payload.to_string(), 80),
                stream.attempts.to_string(),
                stream.crashes.to_string(),
                moment_or_dash(stream.processed_at, self.facts.now),
                stdout::excerpt(stream.error.as_deref().unwrap_or_default(), 120),
            ]
        });
        Ok(stdout::table(header, rows)?)
    }

    fn view(self) -> View {
        let requests = self.requests();
        let streams = &self.facts.streams;
        View {
            why: WhyView {
                sentence: self.explanation.sentence,
                reason: self.explanation.reason,
                goes_on_at: self.explanation.goes_on_at,
                about_ends_at: self.explanation.about_ends_at,
            },
            streams: CountsView {
                pending: streams.pending,
                processing: streams.processing,
                processed: streams.processed,
                error: streams.failed,
            },
            records: streams.records,
            requests,
            failed_streams: self.failed.into_iter().map(FailedView::from).collect(),
            run: self.facts.run.into(),
        }
    }
}

fn streams_in_words(counts: &StreamCounts) -> String {
    format!(
        "{} processed, {} failed, {} being stepped, {} pending",
        counts.processed, counts.failed, counts.processing, counts.pending
    )
}

#[derive(Serialize)]
struct View {
    #[serde(flatten)]
    run: RunView,
    why: WhyView,
    streams: CountsView,
    records: i64,
    requests: i64,
    /// The first of them.
    failed_streams: Vec<FailedView>,
}

#[derive(Serialize)]
struct WhyView {
    sentence: String,
    reason: Reason,
    goes_on_at: Option<DateTime<Utc>>,
    about_ends_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct CountsView {
    pending: i64,
    processing: i64,
    processed: i64,
    error: i64,
}

#[derive(Serialize)]
struct FailedView {
    id: StreamId,
    name: String,
    payload: Value,
    attempts: i32,
    crashes: i32,
    processed_at: Option<DateTime<Utc>>,
    error: Option<String>,
}

impl From<Stream> for FailedView {
    fn from(stream: Stream) -> Self {
        Self {
            id: stream.id,
            name: stream.name,
            payload: stream.payload,
            attempts: stream.attempts,
            crashes: stream.crashes,
            processed_at: stream.processed_at,
            error: stream.error,
        }
    }
}
