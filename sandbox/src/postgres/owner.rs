//! Who runs the server of a cluster that several processes want.
//!
//! The first to lock the file beside the cluster's directory owns it, until it dies or lets go; the
//! kernel sees to that. Once its server takes connections the owner writes the port into the file,
//! and whoever comes now is a guest there.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::until_ready;

/// What we are to a cluster.
pub(super) enum Role {
    Owner(Owner),
    Guest { port: u16 },
}

/// The locked file. Letting it go lets the next one in, so the server has to be stopped first.
pub(super) struct Owner {
    lock: File,
}

impl Role {
    /// Waits while the owner is still starting the server, and takes over if it dies over that.
    pub(super) fn at(directory: &Path, limit: Duration) -> Result<Self> {
        if let Some(parent) = directory.parent() {
            fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        }
        let path = directory.with_extension("lock");
        let mut options = File::options();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("opening {}", path.display()))?;
        until_ready("the owner's server to take connections", limit, || match file.try_lock() {
            Ok(()) => {
                let owner = Owner { lock: file.try_clone()? };
                owner.announce(None)?;
                Ok(Some(Self::Owner(owner)))
            }
            Err(TryLockError::WouldBlock) => {
                Ok(announced(&mut file)?.map(|port| Self::Guest { port }))
            }
            Err(TryLockError::Error(error)) => Err(error).context(format!("locking {path:?}")),
        })
    }
}

impl Owner {
    /// Tells guests where the server takes connections, or that it does not.
    pub(super) fn announce(&self, port: Option<u16>) -> Result<()> {
        let mut file = &self.lock;
        file.set_len(0)?;
        file.rewind()?;
        if let Some(port) = port {
            // The line's end tells a guest that it has read the whole number.
            writeln!(file, "{port}")?;
        }
        Ok(())
    }
}

fn announced(file: &mut File) -> Result<Option<u16>> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text.strip_suffix('\n').and_then(|port| port.parse().ok()))
}
