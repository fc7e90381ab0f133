//! Making a cluster's data directory.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::home::Home;
use super::{Binaries, Cluster};
use crate::process::{ChildProcess, Signal, text_of};

/// Runs `initdb` unless that was done before; answers with the superuser's password.
pub(super) fn initialise(binaries: &Binaries, home: &Home) -> Result<String> {
    if home.data().exists() {
        return text_of(&home.password_file())?
            .with_context(|| format!("{} has lost its password", home.directory().display()));
    }
    let password = format!("{:032x}", rand::random::<u128>());
    home.write_secret(&home.password_file(), &password)?;
    // Under another name first, so that an interrupted initdb is never taken for a cluster.
    let unfinished = home.directory().join("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    let mut initdb = home.command(&binaries.program("initdb"));
    initdb.arg("-D").arg(&unfinished).arg("--pwfile").arg(home.password_file());
    // The password crosses the loopback interface as it is. Hashing it at both ends, as
    // scram-sha-256 does, would take a debug build longer than the rest of connecting.
    initdb.args(["-U", Cluster::USER, "-A", "password", "-E", "UTF8", "--no-sync"]);
    initdb.args(["--locale", if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" }]);
    let mut initdb =
        ChildProcess::start_with(initdb, &home.log(), home.last_will(Signal::SIGKILL))?;
    let status = initdb.wait_until_stopped(Cluster::PATIENCE)?;
    ensure!(status.success(), "making a PostgreSQL cluster: {status}: {}", initdb.printed()?);
    fs::rename(&unfinished, home.data())?;
    Ok(password)
}
