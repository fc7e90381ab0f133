//! An SQS emulator as a child process.
//!
//! Two can be installed by `scripts/install-sqs-emulators`: MiniStack, which starts in a moment and
//! keeps exact time, and LocalStack, which is slower and closer to AWS. Both keep everything in
//! memory: after [`Emulator::stop`] the queues are gone, as after no accident at AWS.
//!
//! Known differences, so that nobody relies on one of them: LocalStack lets timers expire on a tick of
//! a second; MiniStack wakes long polls every 100 ms and receives more slowly the deeper a queue is;
//! a stale receipt handle is refused by MiniStack and deletes the message on LocalStack. MiniStack
//! listens on 127.0.0.1; **LocalStack listens on all interfaces**, whatever it is told.

use std::env;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Error, Result, bail, ensure};
use tempfile::TempDir;

use crate::process::{ChildProcess, LastWill, Signal, free_port};
use crate::tools;

/// Which program plays SQS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    MiniStack,
    LocalStack,
}

/// A running SQS emulator. It is killed when dropped, and when we die.
pub struct Emulator {
    kind: Kind,
    program: PathBuf,
    address: SocketAddr,
    /// Its working directory, its log and whatever it likes to write.
    directory: TempDir,
    process: Option<ChildProcess>,
}

impl Emulator {
    /// LocalStack takes four seconds on an idle machine.
    const PATIENCE: Duration = Duration::from_secs(90);

    const PORT_ATTEMPTS: u32 = 3;

    /// Starts what `MILLRACE_SQS_EMULATOR` names, MiniStack if it is not set, and waits until it
    /// answers.
    pub fn start() -> Result<Self> {
        match env::var("MILLRACE_SQS_EMULATOR") {
            Ok(name) => Self::start_as(name.parse().context("reading MILLRACE_SQS_EMULATOR")?),
            Err(_) => Self::start_as(Kind::MiniStack),
        }
    }

    /// Starts one of the two and waits until it answers.
    pub fn start_as(kind: Kind) -> Result<Self> {
        let program = kind.program().with_context(|| {
            format!("{kind} is not installed: `make install` puts it into .millrace/tools")
        })?;
        let directory = tempfile::Builder::new().prefix("millrace-sqs-").tempdir()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut emulator = Self { kind, program, address, directory, process: None };
        for attempt in 1.. {
            emulator.address.set_port(free_port()?);
            match emulator.start_again() {
                Ok(()) => break,
                // Somebody else may have taken the port in the meantime.
                Err(error) if attempt < Self::PORT_ATTEMPTS => {
                    tracing::warn!("starting {kind} once more: {error:#}");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(emulator)
    }

    /// Which emulator this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What to set `AWS_ENDPOINT_URL_SQS` to. The same for the life of this value.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Kills it: connections are cut, messages and queues are lost.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        Ok(())
    }

    /// Starts it again, empty, on the same port, and waits until it answers.
    pub fn start_again(&mut self) -> Result<()> {
        ensure!(self.process.is_none(), "{} has not been stopped", self.kind);
        let will =
            LastWill { signal: Signal::SIGKILL, remove: Some(self.directory.path().to_owned()) };
        let log = self.directory.path().join("log");
        let mut process = ChildProcess::start_with(self.command(), &log, will)?;
        process.answers(self.address, "/_localstack/health", Self::PATIENCE)?;
        self.process = Some(process);
        Ok(())
    }

    fn command(&self) -> Command {
        let port = self.address.port();
        let mut command = Command::new(&self.program);
        command.current_dir(&self.directory).env("TMPDIR", self.directory.path());
        command.env("SERVICES", "sqs");
        match self.kind {
            Kind::MiniStack => {
                command.env("GATEWAY_PORT", port.to_string()).env("BIND_HOST", "127.0.0.1");
                command.env("LOG_LEVEL", "WARNING");
            }
            Kind::LocalStack => {
                command.args(["-m", "localstack.runtime.main"]);
                command.env("GATEWAY_LISTEN", self.address.to_string()).env("LS_LOG", "error");
                command.env("FILESYSTEM_ROOT", self.directory.path().join("root"));
                // Ready when it says so, silent towards its makers, and no name server of its own.
                command.env("EAGER_SERVICE_LOADING", "1").env("DISABLE_EVENTS", "1");
                command.env("SKIP_SSL_CERT_DOWNLOAD", "1").env("DNS_ADDRESS", "0");
            }
        }
        command
    }
}

impl Kind {
    /// All of them, the default first.
    pub const ALL: [Self; 2] = [Self::MiniStack, Self::LocalStack];

    /// Those that can be started here.
    pub fn installed() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.program().is_some())
    }

    /// The name in `MILLRACE_SQS_EMULATOR`, and of the directory among the tools.
    pub fn name(self) -> &'static str {
        match self {
            Self::MiniStack => "ministack",
            Self::LocalStack => "localstack",
        }
    }

    fn program(self) -> Option<PathBuf> {
        let program = match self {
            Self::MiniStack => "ministack/bin/ministack",
            Self::LocalStack => "localstack/bin/python",
        };
        Some(tools::directory()?.join(program)).filter(|program| program.is_file())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|kind| kind.name() == name) {
            Some(kind) => Ok(kind),
            None => bail!("“{name}” is neither ministack nor localstack"),
        }
    }
}
