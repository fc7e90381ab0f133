//! `millrace dead-letters`: messages that were given up, and sending them again.

use std::process::ExitCode;

use serde_json::json;
use shared::config::{DatabaseArgs, QueueArgs};
use shared::queue::Queue;

use crate::{connections, stdout};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show them, oldest first where the queue can tell
    List {
        /// Answer in JSON, with whole bodies
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        args: Args,
    },
    /// Send them again
    Requeue(Args),
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many, at the most
    #[arg(long, default_value = "100")]
    max: usize,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    queue: QueueArgs,
}

pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let (Command::List { args, .. } | Command::Requeue(args)) = &command;
    let (_, queue) = connections::store_and_queue(&args.database, &args.queue).await?;
    match command {
        Command::List { json, args } => list(&*queue, args.max, json).await?,
        Command::Requeue(args) => {
            let requeued = queue.requeue_dead_letters(args.max).await?;
            stdout::line(format!("sent again: {requeued}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(queue: &dyn Queue, max: usize, as_json: bool) -> anyhow::Result<()> {
    let letters = queue.dead_letters(max).await?;
    if as_json {
        let letters: Vec<_> = letters
            .into_iter()
            .map(|letter| json!({ "body": letter.body, "reason": letter.reason }))
            .collect();
        return Ok(stdout::json(&letters)?);
    }
    let rows = letters.into_iter().map(|letter| {
        let reason = letter.reason.unwrap_or_else(|| "received too often".into());
        [stdout::excerpt(&letter.body, 100), stdout::excerpt(&reason, 100)]
    });
    Ok(stdout::table(["BODY", "REASON"], rows)?)
}
