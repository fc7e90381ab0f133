//! The two services as processes: how they are started, what they are asked, how they end.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use sandbox::process::{ChildProcess, Signal};
use serde_json::Value;

use super::until::until;

/// How long a process may take to open its ports, on a busy machine.
const START: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Worker,
    Generator,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Generator => "job-generator",
        }
    }

    /// Cargo builds the binary of this crate for its tests, and those of others only if it is told to.
    fn path(self) -> PathBuf {
        let path = Path::new(env!("CARGO_BIN_EXE_worker")).with_file_name(self.name());
        assert!(
            path.is_file(),
            "{} is missing; `cargo build --workspace` makes it",
            path.display()
        );
        path
    }
}

/// A process about to be started.
pub(crate) struct Launch {
    pub(super) name: String,
    program: Program,
    log: PathBuf,
    flags: BTreeMap<&'static str, String>,
    /// Says everything that it can.
    loud: bool,
}

impl Launch {
    /// Without a single flag, and with nothing of our environment.
    pub(crate) fn of(program: Program, name: String, logs: &Path) -> Self {
        let log = logs.join(&name);
        Self { name, program, log, flags: BTreeMap::new(), loud: false }
    }

    /// Replaces what was said of this flag before.
    pub(crate) fn with(mut self, flag: &'static str, value: impl ToString) -> Self {
        self.flags.insert(flag, value.to_string());
        self
    }

    /// Logs everything that is ours, down to the last trace, and most of what is others'.
    pub(crate) fn loudly(self) -> Self {
        Self { loud: true, ..self }
    }

    /// The names of all flags.
    pub(crate) fn flags(&self) -> Vec<&'static str> {
        self.flags.keys().copied().collect()
    }

    /// Starts it and waits for its admin port.
    pub(crate) async fn start(self) -> Service {
        let mut service = self.start_blindly();
        service.admin = service.until_address("the admin port is http://").await;
        service
    }

    /// Starts what ends by itself; how it ended, and what it said.
    pub(crate) async fn run(self) -> (ExitStatus, String) {
        let mut service = self.start_blindly();
        (service.until_stopped(START).await, service.printed())
    }

    fn start_blindly(self) -> Service {
        let process = ChildProcess::start(self.command(), &self.log).expect("a process");
        let Self { program, name, .. } = self;
        let admin = (Ipv4Addr::LOCALHOST, 0).into();
        Service { name, program, process, admin, http: http() }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program.path());
        command.env_clear();
        if self.loud {
            command.env("RUST_LOG", "debug,shared=trace,worker=trace,job_generator=trace");
        }
        for (flag, value) in &self.flags {
            command.arg(flag).arg(value);
        }
        command
    }
}

/// A running service. Killed when dropped; a test that fails shows its last words.
pub(crate) struct Service {
    pub(crate) name: String,
    program: Program,
    process: ChildProcess,
    admin: SocketAddr,
    http: reqwest::Client,
}

impl Service {
    /// Whether it is whom a lease names as its holder.
    pub(crate) fn is(&self, holder: &str) -> bool {
        holder.ends_with(&format!(":{}", self.process.pid()))
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        self.process.signal(signal).expect("it runs");
    }

    /// With SIGKILL.
    pub(crate) fn kill(mut self) {
        self.process.kill().expect("it can be killed");
    }

    /// Waits for its end, which was asked for; how it ended.
    pub(crate) async fn until_stopped(&mut self, limit: Duration) -> ExitStatus {
        let what = format!("{} to stop", self.name);
        let process = &mut self.process;
        until(&what, limit, async || process.wait_until_stopped(Duration::ZERO).ok()).await
    }

    /// Asks it to stop by SIGTERM and waits; how it ended, and how long that took.
    pub(crate) async fn terminate(mut self, limit: Duration) -> (ExitStatus, Duration) {
        let asked = Instant::now();
        self.signal(Signal::SIGTERM);
        (self.until_stopped(limit).await, asked.elapsed())
    }

    /// Whether it has not ended.
    pub(crate) fn runs(&mut self) -> bool {
        self.process.wait_until_stopped(Duration::ZERO).is_err()
    }

    /// Everything it has printed.
    pub(crate) fn printed(&self) -> String {
        self.process.printed().expect("its log can be read")
    }

    pub(crate) async fn until_printed(&self, words: &str, limit: Duration) {
        let what = format!("{} to say {words:?}", self.name);
        until(&what, limit, async || self.printed().contains(words).then_some(())).await;
    }

    /// Where its HTTP API is.
    pub(crate) async fn until_api(&self) -> SocketAddr {
        assert_eq!(self.program, Program::Generator, "only a generator has an API");
        self.until_address("the API is http://").await
    }

    /// The status of `/livez`, if it answers.
    pub(crate) async fn livez(&self) -> Option<u16> {
        let answer = self.asked("livez").await?;
        Some(answer.status().as_u16())
    }

    /// The status and the report of `/readyz`, if it answers.
    pub(crate) async fn readyz(&self) -> Option<(u16, Value)> {
        let answer = self.asked("readyz").await?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }

    pub(crate) async fn until_ready(&self, limit: Duration) {
        let what = format!("{} to be ready", self.name);
        until(&what, limit, async || self.readyz().await.filter(|(status, _)| *status == 200))
            .await;
    }

    /// Waits until it says that it is not ready and that this is missing; what it says of it.
    pub(crate) async fn until_missing(&self, check: &str, limit: Duration) -> String {
        self.until_missing_because(check, limit, |_| true).await
    }

    /// The same, and for such a reason.
    pub(crate) async fn until_missing_because(
        &self,
        check: &str,
        limit: Duration,
        is_reason: impl Fn(&str) -> bool,
    ) -> String {
        let what = format!("{} to miss the {check}", self.name);
        until(&what, limit, async || {
            let (status, report) = self.readyz().await?;
            let said = report["checks"][check].as_str()?.to_owned();
            (status == 503 && said != "ok" && is_reason(&said)).then_some(said)
        })
        .await
    }

    async fn asked(&self, path: &str) -> Option<reqwest::Response> {
        self.http.get(format!("http://{}/{path}", self.admin)).send().await.ok()
    }

    /// An address that it says after these words.
    async fn until_address(&self, words: &str) -> SocketAddr {
        let what = format!("{} to say {words:?}", self.name);
        until(&what, START, async || {
            let printed = self.printed();
            let (_, said) = printed.split_once(words)?;
            let end = said.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':')?;
            said[..end].parse().ok()
        })
        .await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let printed = self.process.printed().unwrap_or_default();
            let lines: Vec<_> = printed.lines().collect();
            let last = lines[lines.len().saturating_sub(25)..].join("\n");
            eprintln!("--- the last words of {}:\n{last}", self.name);
        }
    }
}

/// A client for what listens on this machine.
pub(crate) fn http() -> reqwest::Client {
    // Whoever comes second finds it installed, which is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10));
    client.build().expect("a client")
}
