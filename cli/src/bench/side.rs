//! What is measured, and the child process that measures one of it.

use clap::ValueEnum;
use serde::Serialize;
use shared::telemetry::{self, LogFormat, Metrics};
use std::fmt;

use super::figures::Measured;
use super::place::Place;
use super::usage::Neighbours;
use super::{engine, floor, next_stream, tick};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    /// Pages, fetched and written without an engine
    Floor,
    /// The same pages through the engine, from connecting to processed
    Engine,
    /// A run of streams that bring nothing
    EmptyStreams,
    /// A tick over many integrations; its messages go to a queue in memory
    TickMemory,
    /// The same, to the queue in PostgreSQL
    TickPostgres,
    /// The same, to an SQS emulator
    TickSqs,
    /// Taking and committing one stream in an empty database
    NextStream,
    /// The same, beside a million finished ones
    NextStreamInHistory,
}

#[derive(clap::Args)]
pub(super) struct Args {
    #[arg(value_enum)]
    pub(super) side: Side,
    #[arg(long)]
    pub(super) database_url: String,
    #[arg(long)]
    pub(super) provider_url: String,
    #[arg(long)]
    pub(super) sqs_endpoint_url: Option<String>,
    #[command(flatten)]
    pub(super) neighbours: Neighbours,
    #[arg(long)]
    pub(super) quick: bool,
}

/// What the line with the figures begins with.
pub(super) const MEASURED: &str = "measured ";

/// Measures with logs and metrics on, as services run, and prints the figures as one line of JSON.
pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    telemetry::init(LogFormat::Json)?;
    Metrics::install()?;
    let side = args.side;
    let measured = side.measure(&Place::set(args).await?).await?;
    println!("{MEASURED}{}", serde_json::to_string(&measured)?);
    Ok(())
}

impl Side {
    async fn measure(self, place: &Place) -> anyhow::Result<Measured> {
        match self {
            Self::Floor => floor::measure(place).await,
            Self::Engine => engine::pages(place).await,
            Self::EmptyStreams => engine::empty_streams(place).await,
            Self::TickMemory => tick::to_memory(place).await,
            Self::TickPostgres => tick::to_postgres(place).await,
            Self::TickSqs => tick::to_sqs(place).await,
            Self::NextStream => next_stream::alone(place).await,
            Self::NextStreamInHistory => next_stream::in_history(place).await,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No side is hidden from the command line, so each has a name there.
        let value = self.to_possible_value().expect("every side has a name");
        f.pad(value.get_name())
    }
}
