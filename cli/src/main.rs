//! `millrace`, the operator's tool: a table of its commands, each told in the file of its name.
//!
//! Exit codes: 0 for done, 1 for failed (and for a followed run that ended with a hole), 2 for a
//! mistake in the command line or the configuration, with nothing started.

mod bare;
mod bench;
mod closing_table;
mod connect;
mod connections;
mod continue_run;
mod credentials;
mod dead_letters;
mod demo;
mod dev;
mod discover;
mod integrations;
mod lists;
mod local;
mod migrate;
mod moment;
mod post;
mod process_integration;
mod process_stream;
mod progress;
mod run;
mod runs;
mod secret_file;
mod settings;
mod stdout;
mod tenants;

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Keeps integrations in sync, and tells how they are.
#[derive(Parser)]
#[command(name = "millrace", version, max_term_width = 100)]
struct Millrace {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show whole onboardings on this machine alone, on simulated platforms
    Demo(demo::Args),
    /// Run both services and a database of their own, until Ctrl-C
    Dev(dev::Args),
    /// Bring the database's schema up to this version
    Migrate(migrate::Args),
    /// Customers, and the tokens that let them in
    #[command(subcommand)]
    Tenants(tenants::Command),
    /// What lets integrations in, sealed by master keys
    #[command(subcommand)]
    Credentials(credentials::Command),
    /// Connect a tenant to a platform, and start the onboarding
    Connect(connect::Args),
    /// List what could be synced with these settings: channels, repositories, …
    Discover(discover::Args),
    /// What tenants have connected; pause, resume and delete it
    Integrations(integrations::Args),
    /// Runs, newest first
    Runs(runs::Args),
    /// All about one run, or its progress until it ends
    Run(run::Args),
    /// Start a run of each of these integrations, or join the live one
    ProcessIntegration(process_integration::Args),
    /// Go on with runs: what failed in them is tried again, what waits is due
    ContinueRun(continue_run::Args),
    /// Step these streams again, whatever became of them
    ProcessStream(process_stream::Args),
    /// Messages that were given up; send them again
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Measure the engine against the same work without one
    Bench(bench::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Millrace { command } = Millrace::try_parse().unwrap_or_else(|error| bare::exit(error));
    let ended = match command {
        Command::Demo(args) => demo::run(args).await,
        Command::Dev(args) => dev::run(args).await,
        Command::Migrate(args) => migrate::run(args).await,
        Command::Tenants(command) => tenants::run(command).await,
        Command::Credentials(command) => credentials::run(command).await,
        Command::Connect(args) => connect::run(args).await,
        Command::Discover(args) => discover::run(args).await,
        Command::Integrations(args) => integrations::run(args).await,
        Command::Runs(args) => runs::run(args).await,
        Command::Run(args) => run::run(args).await,
        Command::ProcessIntegration(args) => process_integration::run(args).await,
        Command::ContinueRun(args) => continue_run::run(args).await,
        Command::ProcessStream(args) => process_stream::run(args).await,
        Command::DeadLetters(command) => dead_letters::run(command).await,
        Command::Bench(args) => bench::run(args).await,
    };
    ended.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    let cause = error.downcast_ref::<io::Error>().map(io::Error::kind);
    if cause != Some(io::ErrorKind::BrokenPipe) {
        eprintln!("error: {error:#}");
    }
    // Whoever read the other end of the pipe has seen enough, and that is fine by us.
    ExitCode::from(u8::from(cause != Some(io::ErrorKind::BrokenPipe)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Millrace;

    #[test]
    fn verify_cli() {
        Millrace::command().debug_assert();
    }
}
