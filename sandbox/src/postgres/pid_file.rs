//! `postmaster.pid`: what a server says of itself in its data directory.
//!
//! A server that was killed leaves the file behind, and PostgreSQL refuses to start when the number in
//! it belongs to any living process. After a reboot, or in a new container, it often does.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::process::{text_of, until_ready};

/// The lines of the file that matter to us.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: u32,
    pub(super) port: u16,
    /// Whether the server takes connections: not yet, or not any more, otherwise.
    pub(super) is_ready: bool,
}

impl PidFile {
    /// `None` if there is no server, or one so young that it has not written all of it.
    pub(super) fn read(data: &Path) -> Result<Option<Self>> {
        Ok(text_of(&data.join("postmaster.pid"))?.as_deref().and_then(Self::parse))
    }

    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        Some(Self {
            pid: lines.first()?.parse().ok()?,
            port: lines.get(3)?.parse().ok()?,
            is_ready: lines.get(7).is_some_and(|status| *status == "ready"),
        })
    }

    fn is_of_a_living_server(&self, data: &Path) -> bool {
        command_line(self.pid).is_some_and(|command| command.contains(&*data.to_string_lossy()))
    }
}

/// Stops the server that a dead owner left on `data`, and waits until it is gone; clears away what a
/// dead server left.
pub(super) fn stop_orphan(data: &Path, limit: Duration) -> Result<()> {
    until_ready("an orphaned server to stop", limit, || match PidFile::read(data)? {
        Some(server) if server.is_of_a_living_server(data) => {
            // Its watchdog does the same; asking again changes nothing.
            let _ = kill(Pid::from_raw(server.pid as i32), Signal::SIGINT);
            Ok(None)
        }
        Some(_) => Ok(Some(fs::remove_file(data.join("postmaster.pid"))?)),
        None => Ok(Some(())),
    })
}

/// How a process was started; `None` if it is not there.
fn command_line(pid: u32) -> Option<String> {
    if Path::new("/proc/self/cmdline").exists() {
        let raw = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        return Some(String::from_utf8_lossy(&raw).replace('\0', " "));
    }
    let ps = Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output().ok()?;
    ps.status.success().then(|| String::from_utf8_lossy(&ps.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &str = "4711\n/data\n1700000000\n5433\n\n127.0.0.1\n  1234 5\nready   \n";

    #[test]
    fn a_ready_server_is_read_from_its_file() {
        let server = PidFile { pid: 4711, port: 5433, is_ready: true };
        assert_eq!(PidFile::parse(READY), Some(server));
    }

    #[test]
    fn a_file_that_is_still_being_written_is_no_server_yet() {
        assert_eq!(PidFile::parse("4711\n/data\n"), None);
        let half = PidFile::parse("4711\n/data\n1700000000\n5433\n").expect("pid and port");
        assert!(!half.is_ready);
    }

    #[test]
    fn a_living_process_that_is_no_server_does_not_count() {
        let data = tempfile::tempdir().expect("a directory");
        let file = data.path().join("postmaster.pid");
        fs::write(&file, READY.replace("4711", &std::process::id().to_string())).expect("a file");
        stop_orphan(data.path(), Duration::ZERO).expect("nothing to wait for");
        assert!(!file.exists(), "left in the way of the next server");
    }
}
