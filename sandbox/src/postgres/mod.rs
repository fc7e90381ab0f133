//! A private PostgreSQL cluster, run from the machine's own binaries.
//!
//! [`Cluster::start`] keeps one in a directory of the clone, for development: made on first use,
//! found again later, also after a crash. Who comes second while it runs is a guest: shares the
//! server, and loses it when the owner stops.
//! [`Cluster::temporary`] makes one for tests, in memory where possible, which trades all durability
//! for speed and vanishes with its owner, even one that was killed.
//!
//! Both listen on 127.0.0.1 alone, on a port of their own and under a random password, since on a
//! shared machine loopback is everybody's: any number run side by side, and beside the machine's own
//! server. There is no Unix socket (its path could not be longer than 107 bytes).

mod binaries;
mod home;
mod initdb;
mod owner;
mod pid_file;

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::process::{ChildProcess, LastWill, Signal, free_port, output_of};
use home::Home;
use initdb::initialise;
use owner::{Owner, Role};
use pid_file::PidFile;

pub use binaries::Binaries;

/// A PostgreSQL server and its data. Dropping it stops the server, unless we are its guest.
pub struct Cluster {
    binaries: Binaries,
    home: Home,
    password: String,
    port: u16,
    server: Server,
    /// Kept until the server has stopped. A guest has none, and nobody else wants a temporary one.
    owner: Option<Owner>,
}

enum Server {
    Ours(ChildProcess),
    OfOurHost,
    Stopped,
}

impl Cluster {
    /// The superuser; there is no other.
    const USER: &'static str = "millrace";

    /// Long enough for crash recovery on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(60);

    const PORT_ATTEMPTS: u32 = 5;

    /// The cluster in `directory`, which is made if need be. Uses the programs in `PG_BIN` if that is
    /// set. Blocks while the server starts: a second at first, a tenth later.
    pub fn start(directory: &Path) -> Result<Self> {
        Self::start_with(Binaries::find_for_this_process()?, directory)
    }

    /// [`start`](Self::start) with given programs.
    pub fn start_with(binaries: Binaries, directory: &Path) -> Result<Self> {
        let role = Role::at(directory, Self::PATIENCE)?;
        let home = Home::persistent(directory)?;
        let password = initialise(&binaries, &home)?;
        match role {
            Role::Owner(owner) => {
                pid_file::stop_orphan(&home.data(), Self::PATIENCE)?;
                Self::boot(binaries, home, password, Some(owner))
            }
            Role::Guest { port } => {
                let server = Server::OfOurHost;
                Ok(Self { binaries, home, password, port, server, owner: None })
            }
        }
    }

    /// A new cluster that is removed when dropped, or when we die.
    pub fn temporary() -> Result<Self> {
        Self::temporary_with(Binaries::find_for_this_process()?)
    }

    /// [`temporary`](Self::temporary) with given programs.
    pub fn temporary_with(binaries: Binaries) -> Result<Self> {
        let home = Home::temporary()?;
        let password = initialise(&binaries, &home)?;
        Self::boot(binaries, home, password, None)
    }

    /// Where `database` is found, password included.
    pub fn url(&self, database: &str) -> String {
        let Self { password, port, .. } = self;
        format!("postgres://{}:{password}@127.0.0.1:{port}/{database}", Self::USER)
    }

    /// The TCP port, the same for the life of this value.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        PidFile::read(&self.home.data()).ok().flatten().map(|server| server.pid)
    }

    /// The programs it runs on.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// Whether the server is another's, who also stops it.
    pub fn is_guest(&self) -> bool {
        matches!(self.server, Server::OfOurHost)
    }

    /// Makes the database `name` if it is not there yet.
    pub fn create_database(&self, name: &str) -> Result<()> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        ensure!(name.chars().all(is_plain), "“{name}” is no name for a database");
        let there = format!("select 1 from pg_database where datname = '{name}'");
        if self.psql("postgres", &["-At", "-c", &there])?.is_empty() {
            self.psql("postgres", &["-c", &format!(r#"create database "{name}""#)])?;
        }
        Ok(())
    }

    /// Runs the SQL in `file`, in one transaction.
    pub fn run_file(&self, database: &str, file: &Path) -> Result<()> {
        let file = file.to_str().context("the file's path is not UTF-8")?;
        self.psql(database, &["-1", "-f", file]).with_context(|| format!("running {file}"))?;
        Ok(())
    }

    /// Stops the server in good order; connections are cut. A guest does nothing.
    pub fn stop(&mut self) -> Result<()> {
        self.end(Signal::SIGINT)
    }

    /// Stops the server as a power cut would: the next start goes through recovery.
    pub fn stop_immediately(&mut self) -> Result<()> {
        self.end(Signal::SIGQUIT)
    }

    /// Starts the stopped server on the same port, and waits until it takes connections.
    pub fn start_again(&mut self) -> Result<()> {
        ensure!(matches!(self.server, Server::Stopped), "the server has not been stopped");
        self.launch()
    }

    fn boot(
        binaries: Binaries,
        home: Home,
        password: String,
        owner: Option<Owner>,
    ) -> Result<Self> {
        let server = Server::Stopped;
        let mut cluster = Self { binaries, home, password, port: 0, server, owner };
        for attempt in 1.. {
            cluster.port = free_port()?;
            match cluster.launch() {
                Ok(()) => break,
                Err(error) if attempt < Self::PORT_ATTEMPTS && lost_the_port(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(cluster)
    }

    fn launch(&mut self) -> Result<()> {
        let (signal, remove) = match self.home.is_temporary() {
            true => (Signal::SIGQUIT, Some(self.home.directory().to_owned())),
            false => (Signal::SIGINT, None),
        };
        let will = LastWill { signal, remove };
        let mut server = ChildProcess::start_with(self.command(), &self.home.log(), will)?;
        let data = self.home.data();
        server.until("PostgreSQL to take connections", Self::PATIENCE, |server| {
            let ready =
                PidFile::read(&data)?.is_some_and(|file| file.is_ready && file.pid == server.pid());
            Ok(ready.then_some(()))
        })?;
        self.server = Server::Ours(server);
        if let Some(owner) = &self.owner {
            owner.announce(Some(self.port))?;
        }
        Ok(())
    }

    fn command(&self) -> Command {
        let mut settings = vec![
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".into(),
            "unix_socket_directories=".into(),
            "max_connections=300".into(),
            "timezone=UTC".into(),
            "log_timezone=UTC".into(),
        ];
        if self.home.is_temporary() {
            settings.extend(
                ["fsync", "synchronous_commit", "full_page_writes"].map(|s| format!("{s}=off")),
            );
            settings.extend(
                ["wal_level=minimal", "max_wal_senders=0", "min_wal_size=32MB"].map(String::from),
            );
        }
        let mut command = self.home.command(&self.binaries.program("postgres"));
        command.arg("-D").arg(self.home.data());
        for setting in settings {
            command.args(["-c", &setting]);
        }
        command
    }

    fn end(&mut self, signal: Signal) -> Result<()> {
        if let Server::Ours(server) = &mut self.server {
            if let Some(owner) = &self.owner {
                owner.announce(None)?;
            }
            server.signal(signal)?;
            server.wait_until_stopped(Self::PATIENCE)?;
            self.server = Server::Stopped;
        }
        Ok(())
    }

    /// Runs `psql` and answers with what it printed.
    fn psql(&self, database: &str, arguments: &[&str]) -> Result<String> {
        let mut psql = Command::new(self.binaries.program("psql"));
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]).args(arguments);
        psql.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string());
        psql.env("PGDATABASE", database).env("PGUSER", Self::USER);
        psql.env("PGPASSWORD", &self.password).env_remove("PGSERVICE").env_remove("PGOPTIONS");
        output_of(psql)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let signal = if self.home.is_temporary() { Signal::SIGQUIT } else { Signal::SIGINT };
        if let Err(error) = self.end(signal) {
            tracing::warn!("the private PostgreSQL did not stop in good order: {error:#}");
        }
    }
}

impl Binaries {
    fn find_for_this_process() -> Result<Self> {
        Self::find(env::var_os("PG_BIN").as_deref().map(Path::new))
    }
}

fn lost_the_port(error: &anyhow::Error) -> bool {
    format!("{error:#}").contains("could not bind")
}
