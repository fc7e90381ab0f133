//! Where the scripts put the programs that the machine's package manager does not have.
//!
//! `.millrace/tools` beside the workspace's `Cargo.toml`, or what `MILLRACE_TOOLS` says. Tests run in
//! their crate's directory, so it is looked for upwards from the current one.

use std::env;
use std::path::{Path, PathBuf};

/// The tools' directory; `None` if nothing was installed.
pub fn directory() -> Option<PathBuf> {
    if let Some(named) = env::var_os("MILLRACE_TOOLS") {
        return Some(PathBuf::from(named)).filter(|directory| directory.is_dir());
    }
    let here = env::current_dir().ok()?;
    here.ancestors().map(tools_of).find(|directory| directory.is_dir())
}

fn tools_of(workspace: &Path) -> PathBuf {
    workspace.join(".millrace/tools")
}
