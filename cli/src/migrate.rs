//! `millrace migrate`: the schema, brought up to this version.

use std::process::ExitCode;
use std::time::Duration;

use shared::config::{DatabaseArgs, Mistakes};
use shared::store::{MIGRATIONS, Store, Unreachable, reach_database};
use tokio::time::{Instant, sleep};

use crate::stdout;

/// The rest between two looks for a database that is not there.
const LOOK_EVERY: Duration = Duration::from_millis(250);

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long to wait for a database that is not there yet
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    wait: u64,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let database = Mistakes::check_or_exit(|mistakes| args.database.check(mistakes));
    wait_for(&database.url, Duration::from_secs(args.wait)).await?;
    let applied = Store::connect_lazily(&database)?.migrate().await?;
    for migration in &applied {
        stdout::line(format!("applied {:04} {}", migration.version, migration.description))?;
    }
    if applied.is_empty() {
        let version = MIGRATIONS.iter().map(|migration| migration.version).max();
        stdout::line(format!("nothing to apply: the schema is at {:04}", version.unwrap_or(0)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns when the database is there, or says why it is not, at the latest after `wait`.
async fn wait_for(database_url: &str, wait: Duration) -> Result<(), Unreachable> {
    // A wait that no clock reaches has no end.
    let deadline = Instant::now().checked_add(wait);
    let mut told = false;
    loop {
        match reach_database(database_url).await {
            Err(Unreachable::NotThere(error))
                if deadline.is_none_or(|deadline| Instant::now() < deadline) =>
            {
                if !told {
                    eprintln!("waiting up to {} s for the database: {error}", wait.as_secs());
                    told = true;
                }
            }
            settled => return settled,
        }
        sleep(LOOK_EVERY).await;
    }
}
