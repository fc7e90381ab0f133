//! PostgreSQL's programs, wherever this machine keeps them.
//!
//! Distributions leave `postgres` and `initdb` off the search path, each in its own place.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::tools;

/// A directory that has all the programs a cluster needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    directory: PathBuf,
}

impl Binaries {
    const NEEDED: [&'static str; 3] = ["postgres", "initdb", "psql"];

    /// Directories with one subdirectory per version, and where in that the programs are.
    const INSTALLATIONS: [(&'static str, &'static str, &'static str); 4] = [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
    ];

    /// Looks in `pg_bin` and nowhere else if it is given; else on the search path, then for the
    /// highest version that is installed, then among our own tools.
    pub fn find(pg_bin: Option<&Path>) -> Result<Self> {
        if let Some(directory) = pg_bin {
            return match Self::at(directory) {
                Some(binaries) => Ok(binaries),
                None => bail!(
                    "PG_BIN is {}, which has no postgres, initdb and psql",
                    directory.display()
                ),
            };
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let on_path = env::split_paths(&path).find_map(|directory| Self::at(&directory));
        match on_path.or_else(Self::installed).or_else(Self::among_our_tools) {
            Some(binaries) => Ok(binaries),
            None => bail!(
                "PostgreSQL's programs are not on this machine: looked on the PATH, in \
                 /usr/lib/postgresql and for Homebrew's. `make install` installs them without \
                 starting a server; if they are elsewhere, say where in PG_BIN"
            ),
        }
    }

    /// The full path of one program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The directory that has them.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn at(directory: &Path) -> Option<Self> {
        let complete = Self::NEEDED.iter().all(|name| directory.join(name).is_file());
        complete.then(|| Self { directory: directory.to_owned() })
    }

    fn installed() -> Option<Self> {
        let roots = Self::INSTALLATIONS.into_iter();
        roots.filter_map(|(root, prefix, bin)| highest_version(Path::new(root), prefix, bin)).next()
    }

    /// Through the link that the install script made: another user may not be able to follow it.
    fn among_our_tools() -> Option<Self> {
        Self::at(&tools::directory()?.join("postgres/bin").canonicalize().ok()?)
    }
}

fn highest_version(root: &Path, prefix: &str, bin: &str) -> Option<Binaries> {
    let entries = fs::read_dir(root).ok()?.filter_map(Result::ok);
    let mut versions: Vec<(u32, Binaries)> = entries
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((version, Binaries::at(&entry.path().join(bin))?))
        })
        .collect();
    versions.sort_by_key(|(version, _)| *version);
    versions.pop().map(|(_, binaries)| binaries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(directory: &Path) {
        fs::create_dir_all(directory).expect("a directory");
        for program in Binaries::NEEDED {
            fs::write(directory.join(program), "").expect("a program");
        }
    }

    #[test]
    fn the_highest_version_is_compared_as_a_number() {
        let root = tempfile::tempdir().expect("a directory");
        for version in ["9", "15", "14", "common"] {
            install(&root.path().join(version).join("bin"));
        }
        fs::create_dir_all(root.path().join("17/bin")).expect("an empty version");
        let found = highest_version(root.path(), "", "bin").expect("a version");
        assert_eq!(found.directory(), root.path().join("15/bin"));
    }

    #[test]
    fn a_directory_that_was_named_is_the_only_one_looked_at() {
        let empty = tempfile::tempdir().expect("a directory");
        let error = Binaries::find(Some(empty.path())).expect_err("nothing is there");
        assert!(error.to_string().contains("PG_BIN"), "{error}");
    }
}
