//! Lends a private PostgreSQL, and SQS emulators, to another program.
//!
//! `sandbox with-services -- cargo nextest run` starts them, runs the command with their addresses in
//! its environment, stops them and passes on the command's exit code. It says nothing once the command
//! runs, so that the command has the last word.

use std::fs;
use std::io::{IsTerminal, stdin};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbox::postgres::Cluster;
use sandbox::sqs::{Emulator, Kind};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// Runs a command with private services that live as long as it does.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    with: With,
}

#[derive(Subcommand)]
enum With {
    /// A throw-away PostgreSQL in DATABASE_URL.
    WithPostgres(Borrower),
    /// A throw-away PostgreSQL in DATABASE_URL, and each SQS emulator that is installed in
    /// MILLRACE_TEST_SQS_ENDPOINTS, as in “ministack=http://127.0.0.1:4566,localstack=http://…”.
    WithServices(Borrower),
}

#[derive(Args)]
struct Borrower {
    /// Runs the .sql files of this directory first, in the order of their names.
    #[arg(long, value_name = "DIRECTORY")]
    migrations: Option<PathBuf>,
    /// The command and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

const DATABASE: &str = "millrace";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lend(Cli::parse().with).await.unwrap_or_else(|error| {
        eprintln!("sandbox: {error:#}");
        ExitCode::FAILURE
    })
}

async fn lend(with: With) -> Result<ExitCode> {
    let (borrower, kinds) = match with {
        With::WithPostgres(borrower) => (borrower, Vec::new()),
        With::WithServices(borrower) => (borrower, Kind::installed().collect()),
    };
    // Starting takes seconds and blocks; until then a signal ends us as usual, and what has been
    // started ends with us.
    let cluster = start_postgres(borrower.migrations.as_deref())?;
    let emulators = start_emulators(&kinds)?;

    let mut command = Command::new(&borrower.command[0]);
    command.args(&borrower.command[1..]).env("DATABASE_URL", cluster.url(DATABASE));
    if !kinds.is_empty() {
        command.env("MILLRACE_TEST_SQS_ENDPOINTS", endpoints(&emulators));
    }
    let status = run(command).await.with_context(|| borrower.command.join(" "))?;
    // Dropped here, in the open: the services stop before we answer.
    drop((cluster, emulators));
    Ok(exit_code(status))
}

fn start_postgres(migrations: Option<&Path>) -> Result<Cluster> {
    let cluster = Cluster::temporary()?;
    cluster.create_database(DATABASE)?;
    for file in migrations.map(sql_files).transpose()?.unwrap_or_default() {
        cluster.run_file(DATABASE, &file)?;
    }
    eprintln!("sandbox: PostgreSQL from {}", cluster.binaries().directory().display());
    Ok(cluster)
}

fn start_emulators(kinds: &[Kind]) -> Result<Vec<Emulator>> {
    let mut emulators = Vec::new();
    for kind in kinds {
        let emulator = Emulator::start_as(*kind)?;
        eprintln!("sandbox: {kind} at {}", emulator.endpoint());
        emulators.push(emulator);
    }
    Ok(emulators)
}

fn endpoints(emulators: &[Emulator]) -> String {
    let named =
        emulators.iter().map(|emulator| format!("{}={}", emulator.kind(), emulator.endpoint()));
    named.collect::<Vec<_>>().join(",")
}

fn sql_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    Ok(files)
}

/// Waits for the command, however often we are asked to stop: it is asked instead.
async fn run(mut command: Command) -> Result<ExitStatus> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut child = command.spawn()?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(status?),
            _ = interrupt.recv() => pass_on(Signal::SIGINT, &child)?,
            _ = terminate.recv() => pass_on(Signal::SIGTERM, &child)?,
        }
    }
}

fn pass_on(signal: Signal, child: &Child) -> Result<()> {
    // Ctrl-C goes to everybody in the terminal's foreground, the command included; hearing it twice
    // makes a test runner drop everything.
    let heard_it_itself = signal == Signal::SIGINT && stdin().is_terminal();
    match child.id() {
        Some(id) if !heard_it_itself => Ok(kill(Pid::from_raw(id as i32), signal)?),
        _ => Ok(()),
    }
}

/// As a shell would put it: 128 and the signal's number if one ended the command.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn verify_cli() {
        super::Cli::command().debug_assert();
    }
}
