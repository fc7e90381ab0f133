//! The binary as the owner of services: what becomes of them when it ends, in each of the ways.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbox::postgres::Binaries;
use sandbox::process::until_ready;

const SOON: Duration = Duration::from_secs(20);

/// `sandbox with-postgres` around a shell that tells where the data are and then runs `script`.
struct Sandbox {
    process: Child,
    port: u16,
    home: PathBuf,
}

impl Sandbox {
    fn around(script: &str) -> Result<Self> {
        let psql = Binaries::find(env::var_os("PG_BIN").as_deref().map(Path::new))?.program("psql");
        let sql = "select current_setting('port') || ' ' || current_setting('data_directory')";
        let introduce = format!(r#"{} "$DATABASE_URL" -Atc "{sql}""#, psql.display());
        let mut process = Command::new(env!("CARGO_BIN_EXE_sandbox"))
            .args(["with-postgres", "--", "sh", "-c", &format!("{introduce}; {script}")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let mut line = String::new();
        let stdout = process.stdout.take().context("a pipe")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let (port, data) =
            line.trim().split_once(' ').with_context(|| format!("two words: {line}"))?;
        let home = Path::new(data).parent().context("a home")?.to_owned();
        Ok(Self { process, port: port.parse()?, home })
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(Pid::from_raw(self.process.id() as i32), signal)?)
    }

    fn is_gone(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_err() && !self.home.exists()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The shell it ran, if that is still there; the process group is ours.
        let _ = nix::sys::signal::killpg(Pid::from_raw(self.process.id() as i32), Signal::SIGKILL);
        let _ = self.process.wait();
    }
}

#[test]
fn the_commands_exit_code_is_passed_on_and_everything_is_gone() -> Result<()> {
    let mut sandbox = Sandbox::around("exit 7")?;
    assert_eq!(sandbox.process.wait()?.code(), Some(7));
    assert!(sandbox.is_gone());
    Ok(())
}

#[test]
fn asked_to_stop_it_asks_the_command_and_tidies_up() -> Result<()> {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130)] {
        let mut sandbox = Sandbox::around("exec sleep 600")?;
        sandbox.signal(signal)?;
        assert_eq!(sandbox.process.wait()?.code(), Some(code));
        assert!(sandbox.is_gone());
    }
    Ok(())
}

#[test]
fn killed_it_takes_the_server_and_its_data_along() -> Result<()> {
    let mut sandbox = Sandbox::around("exec sleep 600")?;
    sandbox.signal(Signal::SIGKILL)?;
    sandbox.process.wait()?;
    until_ready("the watchdog to tidy up", SOON, || Ok(sandbox.is_gone().then_some(())))
}
