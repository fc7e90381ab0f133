//! Where a cluster lives, and as whom its server runs.
//!
//! PostgreSQL refuses to run as root. When we are root (a container, a CI machine) the server runs as
//! the user `postgres`, or as `nobody` where there is none. That user must be able to reach the
//! cluster's directory, and cannot if the clone is under `/root`: such a cluster goes to
//! `/var/lib/millrace`, and a symbolic link stands in its place.

use std::env;
use std::fs::{self, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::sys::statvfs::statvfs;
use nix::unistd::{Uid, User};
use tempfile::TempDir;

use crate::process::{LastWill, Signal};

/// A cluster's directory, made for the user as whom its server runs.
pub(super) struct Home {
    directory: PathBuf,
    /// `None`: as ourselves.
    runs_as: Option<User>,
    /// Removes the directory when dropped.
    temporary: Option<TempDir>,
}

impl Home {
    const OUT_OF_ROOTS_HOME: &'static str = "/var/lib/millrace";

    /// Room for the databases of a test run; Docker gives `/dev/shm` 64 MB if nobody asks for more.
    const ROOMY: u64 = 1 << 30;

    /// `directory` itself, or what it links to, or what it will link to.
    pub(super) fn persistent(directory: &Path) -> Result<Self> {
        let parent = directory.parent().context("a cluster's directory has a parent")?;
        fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        let runs_as = user_for(directory)?;
        let directory = match &runs_as {
            Some(user) if !reaches(user, parent) => linked_from(directory)?,
            _ => directory.to_owned(),
        };
        fs::create_dir_all(&directory)
            .with_context(|| format!("making {}", directory.display()))?;
        let directory = directory.canonicalize()?;
        give_to(runs_as.as_ref(), &directory)?;
        Ok(Self { directory, runs_as, temporary: None })
    }

    /// A new directory that goes when this value does: in memory if there is room.
    pub(super) fn temporary() -> Result<Self> {
        let runs_as = user_for(Path::new(""))?;
        for place in [PathBuf::from("/dev/shm"), env::temp_dir(), "/tmp".into(), "/var/tmp".into()]
        {
            if !place.is_dir() || !is_roomy(&place) {
                continue;
            }
            let Ok(temporary) = tempfile::Builder::new().prefix("millrace-pg-").tempdir_in(&place)
            else {
                continue;
            };
            give_to(runs_as.as_ref(), temporary.path())?;
            if runs_as.as_ref().is_none_or(|user| reaches(user, temporary.path())) {
                let directory = temporary.path().canonicalize()?;
                return Ok(Self { directory, runs_as, temporary: Some(temporary) });
            }
        }
        bail!("neither /dev/shm, the temporary directory nor /var/tmp has a gigabyte to spare")
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    pub(super) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    pub(super) fn password_file(&self) -> PathBuf {
        self.directory.join("password")
    }

    /// For a process that works here: nothing of a temporary home stays when we die.
    pub(super) fn last_will(&self, signal: Signal) -> LastWill {
        LastWill { signal, remove: self.is_temporary().then(|| self.directory.clone()) }
    }

    /// `program`, to be run in this directory by its user, in English, unmoved by our own `PG…`.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.directory).env("LC_ALL", "C");
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG"))
        {
            command.env_remove(name);
        }
        if let Some(user) = &self.runs_as {
            become_user(&mut command, user);
        }
        command
    }

    /// Writes a file that the server's user, and nobody else but root, may read.
    pub(super) fn write_secret(&self, file: &Path, text: &str) -> Result<()> {
        fs::write(file, text).with_context(|| format!("writing {}", file.display()))?;
        fs::set_permissions(file, Permissions::from_mode(0o600))?;
        chown_to(self.runs_as.as_ref(), file)
    }
}

/// As whom the server in `directory` has to run: `None` when we are an ordinary user; otherwise
/// whoever owns what is there already, since an ordinary user may have made it before root came.
fn user_for(directory: &Path) -> Result<Option<User>> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    if let Ok(existing) = fs::metadata(directory.join("data"))
        && let Some(owner) = User::from_uid(Uid::from_raw(existing.uid()))?
    {
        return Ok(Some(owner));
    }
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name)? {
            return Ok(Some(user));
        }
    }
    bail!("PostgreSQL refuses to run as root, and there is neither a user “postgres” nor “nobody”")
}

/// A directory that everybody can reach, with a link to it at `directory`.
fn linked_from(directory: &Path) -> Result<PathBuf> {
    if let Ok(place) = fs::read_link(directory) {
        return Ok(place);
    }
    if directory.exists() {
        fs::remove_dir(directory).with_context(|| {
            format!("{} is out of reach of the server's user", directory.display())
        })?;
    }
    let mut name = DefaultHasher::new();
    directory.parent().map(Path::canonicalize).transpose()?.hash(&mut name);
    directory.file_name().hash(&mut name);
    let place = Path::new(Home::OUT_OF_ROOTS_HOME).join(format!("{:016x}", name.finish()));
    if place.exists() {
        // Of an earlier clone at the same path; a new clone starts with an empty database.
        fs::remove_dir_all(&place).with_context(|| format!("removing {}", place.display()))?;
    }
    symlink(&place, directory)?;
    Ok(place)
}

/// Tried out rather than worked out from mode bits: there are access lists and odd mounts.
fn reaches(user: &User, directory: &Path) -> bool {
    let mut attempt = Command::new("/bin/sh");
    attempt.args(["-c", r#"cd "$0""#]).arg(directory).current_dir("/");
    become_user(&mut attempt, user);
    let attempt = attempt.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    attempt.status().is_ok_and(|status| status.success())
}

/// `Command` also drops our supplementary groups when root changes the user.
fn become_user(command: &mut Command, user: &User) {
    command.uid(user.uid.as_raw()).gid(user.gid.as_raw()).env("HOME", &user.dir);
}

fn give_to(user: Option<&User>, directory: &Path) -> Result<()> {
    fs::set_permissions(directory, Permissions::from_mode(0o700))?;
    chown_to(user, directory)
}

fn chown_to(user: Option<&User>, path: &Path) -> Result<()> {
    match user {
        Some(user) => chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
            .with_context(|| format!("giving {} to {}", path.display(), user.name)),
        None => Ok(()),
    }
}

fn is_roomy(directory: &Path) -> bool {
    statvfs(directory).is_ok_and(|room| {
        let available = u128::from(room.blocks_available()) * u128::from(room.fragment_size());
        available >= u128::from(Home::ROOMY)
    })
}
