//! `millrace process-stream`: streams are put back to pending, whatever became of them, and a
//! message about each of their runs is posted.

use std::collections::BTreeMap;
use std::process::ExitCode;

use shared::config::{DatabaseArgs, QueueArgs};
use shared::domain::{RunId, StreamId, TenantId};
use shared::message::Message;
use shared::store::{Result as StoreResult, Store};

use crate::continue_run::is_put_back;
use crate::lists::all_known;
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
            // They are put back already: the message names only the run, and may come twice.
            let message = Message::Process { run: of_one_run.run, stream: None };
            messages.push((of_one_run.tenant, message));
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
}

/// Each stream once, with its run; or none at all: a typing mistake changes nothing.
async fn by_run(store: &Store, ids: &[StreamId]) -> anyhow::Result<Vec<OfOneRun>> {
    let mut runs: BTreeMap<RunId, OfOneRun> = BTreeMap::new();
    for (stream, run) in all_known("stream", ids, async |id| run_of(store, id).await).await? {
        runs.entry(run.run).or_insert(run).streams.push(stream);
    }
    Ok(runs.into_values().collect())
}

async fn run_of(store: &Store, stream: StreamId) -> StoreResult<Option<(StreamId, OfOneRun)>> {
    let Some(run) = store.run_of_stream(stream).await? else {
        return Ok(None);
    };
    let run = store.run(run).await?;
    let streams = Vec::new();
    Ok(run.map(|run| (stream, OfOneRun { tenant: run.tenant_id, run: run.id, streams })))
}
