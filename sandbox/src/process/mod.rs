//! Child processes whose lives are tied to ours.
//!
//! A [`ChildProcess`] is killed when its owner drops it. That alone is not enough: a test runner that
//! loses patience kills its tests with SIGKILL, nothing is dropped, and a database server would stay
//! behind for ever. So each child has a watchdog beside it, which notices when we end, in whatever way,
//! and carries out the child's [`LastWill`].
//!
//! Child and watchdog lead process groups of their own, so Ctrl-C in the terminal reaches us alone
//! and we decide in which order things stop.
//!
//! Everything here blocks its thread. In async code put the waiting into `spawn_blocking`, or use
//! [`ChildProcess::stopped`].

mod ready;
mod watchdog;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::iter;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{kill, killpg};
use nix::unistd::Pid;

use ready::answers_with_200;
use watchdog::Watchdog;

pub use nix::sys::signal::Signal;
pub use ready::until_ready;
pub use watchdog::LastWill;

/// A running program that does not outlive us, and the file that takes what it prints.
#[derive(Debug)]
pub struct ChildProcess {
    child: Child,
    name: String,
    log_file: PathBuf,
    log_start: u64,
    watchdog: Watchdog,
}

impl ChildProcess {
    /// Starts `command` with nothing on its standard input; what it prints is appended to `log_file`.
    /// When we die it is killed.
    pub fn start(command: Command, log_file: &Path) -> Result<Self> {
        Self::start_with(command, log_file, LastWill { signal: Signal::SIGKILL, remove: None })
    }

    /// [`start`](Self::start) with a gentler end, or one that tidies up.
    pub fn start_with(mut command: Command, log_file: &Path, will: LastWill) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let log = File::options()
            .create(true)
            .append(true)
            .open(log_file)
            .with_context(|| format!("opening {}", log_file.display()))?;
        let log_start = log.metadata()?.len();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        let watchdog = Watchdog::over(&child, &will).inspect_err(|_| {
            // Unwatched it might outlive us. It is ours and unreaped, so this cannot hit another.
            let _ = child.kill().and_then(|()| child.wait());
        })?;
        Ok(Self { child, name, log_file: log_file.to_owned(), log_start, watchdog })
    }

    /// The process id; meaningless once the child has stopped.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends `signal` to the process, not to its group. An error if it has stopped already.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} has already stopped ({status})", self.name);
        }
        kill(self.group(), signal).with_context(|| format!("sending {signal} to {}", self.name))
    }

    /// Kills the process and its group with SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        // Not yet reaped, so neither the id nor the group can belong to somebody else.
        killpg(self.group(), Signal::SIGKILL).with_context(|| format!("killing {}", self.name))?;
        Ok(self.child.wait()?)
    }

    /// Sends `signal`, unless the process has stopped already, and waits until it has. An error after
    /// `limit`; it runs on then.
    pub fn stop(&mut self, signal: Signal, limit: Duration) -> Result<ExitStatus> {
        if self.child.try_wait()?.is_none() {
            self.signal(signal)?;
        }
        self.wait_until_stopped(limit)
    }

    /// Waits until the process has stopped by itself. An error after `limit`; it runs on then.
    pub fn wait_until_stopped(&mut self, limit: Duration) -> Result<ExitStatus> {
        let what = format!("{} to stop", self.name);
        until_ready(&what, limit, || Ok(self.child.try_wait()?))
    }

    /// [`wait_until_stopped`](Self::wait_until_stopped) for async code.
    pub async fn stopped(mut self, limit: Duration) -> Result<ExitStatus> {
        tokio::task::spawn_blocking(move || self.wait_until_stopped(limit)).await?
    }

    /// Waits for a line that contains `words`, and returns it. An error after `limit`, or when the
    /// process stops without having printed it.
    pub fn line_with(&mut self, words: &str, limit: Duration) -> Result<String> {
        self.until(&format!("{} to print “{words}”", self.name), limit, |child| {
            Ok(child.printed()?.lines().find(|line| line.contains(words)).map(str::to_owned))
        })
    }

    /// Waits until `GET path` at `address` is answered with 200. An error after `limit`, or when the
    /// process stops before.
    pub fn answers(&mut self, address: SocketAddr, path: &str, limit: Duration) -> Result<()> {
        self.until(&format!("{} to answer", self.name), limit, |_| {
            Ok(answers_with_200(address, path).then_some(()))
        })
    }

    /// What the process has printed since it was started, both streams.
    pub fn printed(&self) -> Result<String> {
        let mut log = File::open(&self.log_file)?;
        log.seek(SeekFrom::Start(self.log_start))?;
        let mut text = Vec::new();
        log.read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// [`until_ready`] that gives up as soon as the process has stopped, and quotes its last words.
    pub(crate) fn until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&mut Self) -> Result<Option<T>>,
    ) -> Result<T> {
        let waited = until_ready(what, limit, || {
            // Asked before looking: what it did with its last breath still counts.
            let stopped = self.child.try_wait()?;
            match (look(self)?, stopped) {
                (None, Some(status)) => bail!("{} stopped ({status})", self.name),
                (found, _) => Ok(found),
            }
        });
        waited.map_err(|error| anyhow!("{error:#}; its last words:\n{}", self.last_words()))
    }

    fn last_words(&self) -> String {
        let printed = self.printed().unwrap_or_default();
        let lines: Vec<&str> = printed.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    fn group(&self) -> Pid {
        // Process ids fit an i32 on every Unix: the kernel's own type is one.
        Pid::from_raw(self.child.id() as i32)
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            tracing::warn!("{} may still be running: {error:#}", self.name);
        }
        self.watchdog.let_go();
    }
}

/// A TCP port of the loopback interface that was free a moment ago. Another process may take it
/// before you do: be ready to try again.
///
/// It lies below those that the kernel gives to outgoing connections, so that a server which is
/// stopped for a while finds it free again.
pub fn free_port() -> Result<u16> {
    let mut drawn = iter::repeat_with(|| rand::random_range(20_000..32_768)).take(1_000);
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    drawn.find(is_free).context("found no free port between 20000 and 32767")
}

/// Runs `command` to its end and answers with what it printed, trimmed.
pub(crate) fn output_of(mut command: Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let Output { status, stdout, stderr } =
        command.output().with_context(|| format!("running {program}"))?;
    if !status.success() {
        bail!("{program} failed ({status}): {}", String::from_utf8_lossy(&stderr).trim());
    }
    Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
}

/// Reads a small text file; `None` if there is none.
pub(crate) fn text_of(file: &Path) -> Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", file.display())),
    }
}
