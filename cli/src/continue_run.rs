//! `millrace continue-run`: what failed or waits in a run is put back to pending, and a message
//! about the run is posted.

use std::process::ExitCode;

use shared::config::{DatabaseArgs, QueueArgs};
use shared::domain::RunId;
use shared::message::Message;
use shared::store::Continued;

use crate::lists::all_known;
use crate::post::post_about_runs;
use crate::{connections, stdout};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// These runs
    #[arg(short, long = "run", value_name = "ID", value_delimiter = ',', required = true)]
    runs: Vec<RunId>,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    queue: QueueArgs,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (store, queue) = connections::store_and_queue(&args.database, &args.queue).await?;
    let runs = all_known("run", &args.runs, async |id| store.run(id).await).await?;
    let mut messages = Vec::new();
    for run in &runs {
        let continued = store.continue_run(run.id).await?;
        if is_put_back(run.id, continued) {
            messages.push((run.tenant_id, Message::Process { run: run.id, stream: None }));
        }
    }
    let put_back = messages.len();
    post_about_runs(&store, &*queue, messages).await?;
    stdout::line(format!("posted: {put_back} of {} runs", runs.len()))?;
    Ok(ExitCode::from(u8::from(put_back < runs.len())))
}

/// Says why, if it is not.
pub(crate) fn is_put_back(run: RunId, continued: Continued) -> bool {
    match continued {
        Continued::Yes => return true,
        Continued::AnotherIsLive(other) => {
            eprintln!("error: run {run} stays as it is: run {other} of its integration is live");
        }
        Continued::Unknown => eprintln!("error: run {run} was deleted a moment ago"),
    }
    false
}
