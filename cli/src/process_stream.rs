//! `millrace process-stream`: streams are put back to pending, whatever became of them, and a
//! message about each of their runs is posted.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use anyhow::bail;
use shared::config::{DatabaseArgs, QueueArgs};
use shared::domain::{RunId, StreamId, TenantId};
use shared::message::Message;
use shared::store::Store;

use crate::continue_run::is_put_back;
use crate::post::post_about_runs;
use crate::{connections, stdout};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// These streams
    #[arg(short, long = "stream", value_name = "ID", value_delimiter = ',', required = true)]
    streams: Vec<StreamId>,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    queue: QueueArgs,
}

/// The streams of one run.
struct OfOneRun {
    tenant: TenantId,
    run: RunId,
    streams: Vec<StreamId>,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (store, queue) = connections::store_and_queue(&args.database, &args.queue).await?;
    let runs = by_run(&store, &args.streams).await?;
    let mut messages = Vec::new();
    let (mut wanted, mut put_back) = (0, 0);
    for of_one_run in &runs {
        let done = of_one_run.put_back(&store).await?;
        if done > 0 {
            messages.push((of_one_run.tenant, of_one_run.message()));
        }
        put_back += done;
        wanted += of_one_run.streams.len();
    }
    post_about_runs(&store, &*queue, messages).await?;
    stdout::line(format!("posted: {put_back} of {wanted} streams"))?;
    Ok(ExitCode::from(u8::from(put_back < wanted)))
}

impl OfOneRun {
    /// How many were.
    async fn put_back(&self, store: &Store) -> anyhow::Result<usize> {
        for (done, stream) in self.streams.iter().enumerate() {
            let continued = store.process_stream_again(self.run, *stream).await?;
            if !is_put_back(self.run, continued) {
                return Ok(done);
            }
        }
        Ok(self.streams.len())
    }

    /// Names the stream if there is one. Of several only the run is named: they are put back already,
    /// and one message each would step again what another message has just had stepped.
    fn message(&self) -> Message {
        let stream = match self.streams[..] {
            [only] => Some(only),
            _ => None,
        };
        Message::Process { run: self.run, stream }
    }
}

/// Each stream once, with its run; or none at all: a typing mistake changes nothing.
async fn by_run(store: &Store, ids: &[StreamId]) -> anyhow::Result<Vec<OfOneRun>> {
    let mut runs: BTreeMap<RunId, OfOneRun> = BTreeMap::new();
    let mut unknown = Vec::new();
    for stream in BTreeSet::from_iter(ids) {
        let Some(run) = run_of(store, *stream).await? else {
            unknown.push(stream.to_string());
            continue;
        };
        runs.entry(run.run).or_insert(run).streams.push(*stream);
    }
    if !unknown.is_empty() {
        bail!("there is no stream {}; nothing was posted", unknown.join(", nor "));
    }
    Ok(runs.into_values().collect())
}

async fn run_of(store: &Store, stream: StreamId) -> anyhow::Result<Option<OfOneRun>> {
    let Some(run) = store.run_of_stream(stream).await? else {
        return Ok(None);
    };
    let run = store.run(run).await?;
    Ok(run.map(|run| OfOneRun { tenant: run.tenant_id, run: run.id, streams: Vec::new() }))
}
