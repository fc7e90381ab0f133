//! `millrace bench`: what the engine costs, measured in one run against what the same work costs
//! without it.
//!
//! The sides ([`side::Side`]) take turns, round after round, so that whatever else the machine is
//! doing meets all of them. Each is a process of its own, with a fresh database, so that its CPU
//! time and its peak memory are its own; the platform that they fetch from is another, and answers
//! at once. What others used of the machine meanwhile is told with each figure: a shared machine
//! measures its neighbours, too.

mod comments;
mod engine;
mod figures;
mod floor;
mod forum;
mod millrace;
mod next_stream;
mod place;
mod provider;
mod report;
mod seed;
mod side;
mod silence;
mod size;
mod stand;
mod summary;
mod tick;
mod usage;
mod wire;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::block_in_place;

use report::Report;
use side::Side;
use size::Size;
use stand::Stand;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often each side is measured, in turn with the others
    #[arg(long, default_value = "3")]
    rounds: NonZeroUsize,
    /// Much less work, to see whether all of it runs; the figures mean little
    #[arg(long)]
    quick: bool,
    /// Only these sides; all, if none is named
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Side>,
    /// Write the figures as JSON, too; `-` writes them to standard output, and the table beside it
    #[arg(long, value_name = "FILE|-")]
    json: Option<PathBuf>,
    /// Send to an SQS emulator as well
    #[arg(long, env = "AWS_ENDPOINT_URL_SQS")]
    sqs_endpoint_url: Option<String>,
    #[command(subcommand)]
    child: Option<Child>,
}

/// The processes that a measurement consists of. It starts them itself.
#[derive(Subcommand)]
enum Child {
    /// The platform
    #[command(hide = true)]
    Provider(provider::Args),
    /// One side
    #[command(hide = true)]
    Side(side::Args),
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.child {
        Some(Child::Provider(args)) => provider::run(args).await?,
        Some(Child::Side(args)) => side::run(args).await?,
        None => block_in_place(|| measure(&args))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(args: &Args) -> anyhow::Result<()> {
    let (sides, rounds) = (args.sides(), args.rounds.get());
    let progress = progress(rounds * sides.len());
    progress.set_message("starting PostgreSQL and a platform to fetch from");
    let stand = Stand::set(args.quick, args.sqs_endpoint_url.clone())?;
    let mut report = Report::begin(Size::of(args.quick));
    for round in 1..=rounds {
        for &side in &sides {
            progress.set_message(format!("round {round} of {rounds}: {side}"));
            let measured = stand.measure(side)?;
            progress.suspend(|| eprintln!("round {round}: {side}: {measured}"));
            report.note(side, measured);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    report.publish(args.json.as_deref())
}

impl Args {
    fn sides(&self) -> Vec<Side> {
        let wanted = |side: &Side| match self.only.is_empty() {
            true => *side != Side::TickSqs || self.sqs_endpoint_url.is_some(),
            false => self.only.contains(side),
        };
        Side::value_variants().iter().copied().filter(wanted).collect()
    }
}

fn progress(steps: usize) -> ProgressBar {
    let progress = ProgressBar::new(steps as u64);
    let style = ProgressStyle::with_template("{spinner} {pos}/{len} {elapsed} {msg}");
    // The template is a constant, and the tests draw it.
    progress.set_style(style.expect("the template is well-formed"));
    progress.enable_steady_tick(Duration::from_millis(100));
    progress
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_progress_can_be_drawn() {
        super::progress(3).finish();
    }
}
