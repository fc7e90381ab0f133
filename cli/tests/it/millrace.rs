//! Running the binary.

use std::io;
use std::process::{ExitStatus, Output, Stdio};

use sandbox::proxy::Proxy;
use serde::de::DeserializeOwned;
use sqlx::postgres::PgSslMode;
use sqlx::{ConnectOptions, PgPool};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::net::lookup_host;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

/// The tool, told by its environment where the database is.
pub(crate) struct Millrace {
    database_url: String,
    master_keys: String,
}

/// What a command answered.
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A command that is still running, line by line. Killed if it is dropped.
pub(crate) struct Running {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Millrace {
    pub(crate) fn on(pool: &PgPool) -> Self {
        Self::at(pool.connect_options().to_url_lossy().as_str())
    }

    /// The same, on a road to the database that can be cut.
    pub(crate) async fn behind_proxy(pool: &PgPool) -> (Proxy, Self) {
        let database = pool.connect_options();
        let server = lookup_host((database.get_host(), database.get_port())).await;
        let server = server.expect("an address").next().expect("an address");
        let road = Proxy::to(server).await.expect("a proxy");
        let database = (*database).clone().ssl_mode(PgSslMode::Disable);
        let database = database.host("127.0.0.1").port(road.addr().port());
        (road, Self::at(database.to_url_lossy().as_str()))
    }

    pub(crate) fn at(database_url: &str) -> Self {
        Self { database_url: database_url.to_owned(), master_keys: String::new() }
    }

    pub(crate) fn with_master_keys(self, master_keys: &str) -> Self {
        Self { master_keys: master_keys.to_owned(), ..self }
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Answer {
        Answer::of(self.command(arguments).output().await)
    }

    /// The same, with nobody to read what it prints.
    pub(crate) async fn run_unread(&self, arguments: &[&str]) -> Answer {
        let mut child = self.command(arguments).spawn().expect("the binary runs");
        drop(child.stdout.take());
        Answer::of(child.wait_with_output().await)
    }

    /// The same, with nobody to hear what it complains about.
    pub(crate) async fn run_unheard(&self, arguments: &[&str]) -> Answer {
        let mut child = self.command(arguments).spawn().expect("the binary runs");
        drop(child.stderr.take());
        Answer::of(child.wait_with_output().await)
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut child = self.command(arguments).spawn().expect("the binary runs");
        let stdout = lines(child.stdout.take());
        let stderr = lines(child.stderr.take());
        Running { child, stdout, stderr }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        command
            .args(arguments)
            // Nothing of the machine's own configuration.
            .env_clear()
            .env("DATABASE_URL", &self.database_url)
            .env("MASTER_KEYS", &self.master_keys)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

fn lines<R: AsyncRead>(pipe: Option<R>) -> Lines<BufReader<R>>
where
    BufReader<R>: AsyncBufReadExt,
{
    BufReader::new(pipe.expect("it is piped")).lines()
}

impl Answer {
    fn of(output: io::Result<Output>) -> Self {
        let output = output.expect("the binary runs");
        let text = |bytes| String::from_utf8(bytes).expect("it speaks UTF-8");
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// The answer of a command that did what it was asked to.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout
    }

    /// The same, decoded.
    #[track_caller]
    pub(crate) fn json<T: DeserializeOwned>(self) -> T {
        serde_json::from_str(&self.ok()).expect("it answers in JSON")
    }

    /// What a command that failed says about it.
    #[track_caller]
    pub(crate) fn refusal(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self.stderr
    }
}

impl Running {
    pub(crate) async fn line(&mut self) -> String {
        self.stdout.next_line().await.expect("UTF-8").expect("a line, not the end")
    }

    /// Reads on until a line ends like this.
    pub(crate) async fn line_with(&mut self, end: &str) {
        while !self.line().await.ends_with(end) {}
    }

    pub(crate) async fn complaint(&mut self) -> String {
        self.stderr.next_line().await.expect("UTF-8").expect("a line, not the end")
    }

    /// What it still says, and how it ends.
    pub(crate) async fn end(mut self) -> (Vec<String>, ExitStatus) {
        let mut rest = Vec::new();
        while let Some(line) = self.stdout.next_line().await.expect("UTF-8") {
            rest.push(line);
        }
        (rest, self.child.wait().await.expect("it ends"))
    }
}
