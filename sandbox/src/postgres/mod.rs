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
mod psql;

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::process::{ChildProcess, Signal, free_port, until_ready};
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

    const SETTINGS: &[&str] = &[
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=300",
        "timezone=UTC",
        "log_timezone=UTC",
    ];

    /// What nobody needs who removes the data anyway.
    const THROW_AWAY: &[&str] = &[
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "wal_level=minimal",
        "max_wal_senders=0",
        "min_wal_size=32MB",
    ];

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
                Err(error) if attempt < Self::PORT_ATTEMPTS && says(&error, "could not bind") => {}
                Err(error) => return Err(error),
            }
        }
        Ok(cluster)
    }

    /// A postmaster that was killed is survived for a moment by its other processes, which still hold
    /// the shared memory: they are waited for.
    fn launch(&mut self) -> Result<()> {
        until_ready("the last server's processes to go", Self::PATIENCE, || {
            match self.launch_once() {
                Err(error) if says(&error, "shared memory block") => Ok(None),
                outcome => outcome.map(Some),
            }
        })
    }

    fn launch_once(&mut self) -> Result<()> {
        let will = self.home.last_will(self.ending());
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
        let mut command = self.home.command(&self.binaries.program("postgres"));
        command.arg("-D").arg(self.home.data());
        command.args(["-c", &format!("port={}", self.port)]);
        let throw_away = if self.home.is_temporary() { Self::THROW_AWAY } else { &[] };
        for setting in Self::SETTINGS.iter().chain(throw_away) {
            command.args(["-c", setting]);
        }
        command
    }

    fn end(&mut self, signal: Signal) -> Result<()> {
        if let Server::Ours(server) = &mut self.server {
            if let Some(owner) = &self.owner {
                owner.announce(None)?;
            }
            server.stop(signal, Self::PATIENCE)?;
            self.server = Server::Stopped;
        }
        Ok(())
    }

    /// Data that will be removed need not be tidied up first.
    fn ending(&self) -> Signal {
        if self.home.is_temporary() { Signal::SIGQUIT } else { Signal::SIGINT }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = self.end(self.ending()) {
            tracing::warn!("the private PostgreSQL did not stop in good order: {error:#}");
        }
    }
}

impl Binaries {
    fn find_for_this_process() -> Result<Self> {
        Self::find(env::var_os("PG_BIN").as_deref().map(Path::new))
    }
}

/// PostgreSQL names its reasons in the log alone, which the error quotes.
fn says(error: &anyhow::Error, words: &str) -> bool {
    format!("{error:#}").contains(words)
}
