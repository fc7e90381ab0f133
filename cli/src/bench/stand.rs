//! The stand that sides are measured on: a private PostgreSQL, a platform, and for each measurement
//! a fresh database and a process of its own. All of it ends with us.
//!
//! Everything here blocks its thread.

use std::env;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use sandbox::postgres::Cluster;
use sandbox::process::ChildProcess;
use tempfile::TempDir;

use super::figures::Measured;
use super::provider::READY;
use super::side::{MEASURED, Side};

/// Long enough for a million streams of history on a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

const DATABASE: &str = "side";

pub(super) struct Stand {
    quick: bool,
    sqs_endpoint_url: Option<String>,
    provider: ChildProcess,
    provider_url: String,
    cluster: Cluster,
    /// What the children print.
    logs: TempDir,
}

impl Stand {
    pub(super) fn set(quick: bool, sqs_endpoint_url: Option<String>) -> anyhow::Result<Self> {
        let logs = tempfile::Builder::new().prefix("millrace-bench-").tempdir()?;
        let cluster = Cluster::temporary()?;
        let mut provider = child(&["provider"])?;
        provider.args(quick.then_some("--quick"));
        let mut provider = ChildProcess::start(provider, &logs.path().join("provider"))?;
        let line = provider.line_with(READY, PATIENCE)?;
        let provider_url = after(READY, &line)?.to_owned();
        Ok(Self { quick, sqs_endpoint_url, provider, provider_url, cluster, logs })
    }

    /// Measures a side once.
    pub(super) fn measure(&self, side: Side) -> anyhow::Result<Measured> {
        self.cluster.create_database(DATABASE)?;
        let log = self.logs.path().join(side.to_string());
        let mut process = ChildProcess::start(self.command(side)?, &log)?;
        let line = process.line_with(MEASURED, PATIENCE)?;
        let ended = process.wait_until_stopped(PATIENCE)?;
        ensure!(ended.success(), "{side} was measured, and then failed ({ended})");
        self.cluster.drop_database(DATABASE)?;
        serde_json::from_str(after(MEASURED, &line)?).context("reading what was measured")
    }

    fn command(&self, side: Side) -> anyhow::Result<Command> {
        let postmaster = self.cluster.pid().context("PostgreSQL has stopped")?;
        let mut command = child(&["side", &side.to_string()])?;
        command.args(["--database-url", &self.cluster.url(DATABASE)]);
        command.args(["--provider-url", &self.provider_url]);
        command.args(["--postmaster", &postmaster.to_string()]);
        command.args(["--provider", &self.provider.pid().to_string()]);
        if let Some(url) = &self.sqs_endpoint_url {
            command.args(["--sqs-endpoint-url", url]);
        }
        command.args(self.quick.then_some("--quick"));
        Ok(command)
    }
}

/// This program, as one of its hidden commands.
fn child(arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(env::current_exe().context("finding this program")?);
    command.arg("bench").args(arguments);
    Ok(command)
}

fn after<'a>(words: &str, line: &'a str) -> anyhow::Result<&'a str> {
    let (_, rest) = line.split_once(words).with_context(|| format!("no “{words}” in {line}"))?;
    Ok(rest.trim())
}
