//! The shell that outlives us by a moment, to end what we cannot end any more.
//!
//! It reads from a pipe whose only writing end is ours. A line means “all is well, go home”. The end of
//! the pipe without a line means that we died, in whatever way; the kernel closes it for us.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

/// What becomes of a child when we die before we could stop it.
#[derive(Debug, Clone)]
pub struct LastWill {
    /// The signal for the child's process group.
    pub signal: Signal,
    /// A directory to remove once the child has stopped.
    pub remove: Option<PathBuf>,
}

/// A shell with its eyes on one child.
#[derive(Debug)]
pub(super) struct Watchdog {
    shell: Child,
    leash: Option<ChildStdin>,
}

impl Watchdog {
    /// Not for ever: in a container nobody may reap the child, and then it seems to be there still.
    const SCRIPT: &str = r#"
        read -r line && exit
        kill -s "$2" -- "-$1"
        test -n "$3" || exit
        looks=0
        while [ $looks -lt 100 ] && kill -s 0 "$1"; do
            looks=$((looks + 1))
            sleep 0.1
        done
        rm -rf -- "$3"
    "#;

    pub(super) fn over(child: &Child, will: &LastWill) -> Result<Self> {
        let signal = will.signal.as_str().trim_start_matches("SIG");
        let mut shell = Command::new("/bin/sh")
            .args(["-c", Self::SCRIPT, "watchdog", &child.id().to_string(), signal])
            .arg(will.remove.as_deref().unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("starting the watchdog of a child process")?;
        let leash = shell.stdin.take();
        Ok(Self { shell, leash })
    }

    /// To be called when the child is gone: its number may soon be another's.
    pub(super) fn let_go(&mut self) {
        if let Some(mut leash) = self.leash.take() {
            let _ = leash.write_all(b"\n");
        }
        let _ = self.shell.wait();
    }
}
