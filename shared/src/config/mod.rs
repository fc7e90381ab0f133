//! What both services and the CLI are told at start: where the database and the queue are, where the
//! admin port is. Arguments with environment fallbacks, read once; nothing else touches the
//! environment.
//!
//! Every argument is text until it is checked here, so that one start names every mistake.

mod mistakes;
mod platforms;
mod queue;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;

pub use mistakes::Mistakes;
pub use platforms::{PlatformArgs, PlatformConfig};
pub use queue::{QueueArgs, QueueConfig};

use crate::keyring::Keyring;

/// Where the truth is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// PostgreSQL 14 or newer, as `postgres://user:password@host:port/database`
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    pub database_url: String,
    /// Connections to it, at the most
    #[arg(long, env = "DATABASE_CONNECTIONS", default_value = "20")]
    pub database_connections: String,
}

#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    pub url: String,
    pub connections: u32,
}

impl DatabaseArgs {
    pub fn check(&self, mistakes: &mut Mistakes) -> Option<DatabaseConfig> {
        let connections = mistakes.read_count("--database-connections", &self.database_connections);
        if self.database_url.is_empty() {
            mistakes.note("--database-url", "is missing; DATABASE_URL says it, too");
            return None;
        }
        let schemes = ["postgres://", "postgresql://"];
        if !schemes.iter().any(|scheme| self.database_url.starts_with(scheme)) {
            mistakes.note("--database-url", "must begin with postgres://");
            return None;
        }
        // What was told is not repeated: it may carry a password.
        if let Err(error) = self.database_url.parse::<PgConnectOptions>() {
            mistakes.note("--database-url", error);
            return None;
        }
        Some(DatabaseConfig { url: self.database_url.clone(), connections: connections? })
    }
}

/// What credentials are sealed by.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Master keys")]
pub struct KeyringArgs {
    /// `<id>:<base64 of 32 bytes>`, several separated by commas: the first seals, all of them open
    #[arg(
        long,
        env = "MASTER_KEYS",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    pub master_keys: SecretString,
    /// A file that has them; `millrace credentials new-key` makes one
    #[arg(
        long,
        env = "MASTER_KEYS_FILE",
        value_name = "FILE",
        // An empty one is none; clap would end here, before the other mistakes are named.
        value_parser = OsStringValueParser::new().map(PathBuf::from)
    )]
    pub master_keys_file: Option<PathBuf>,
}

impl KeyringArgs {
    /// None at all is fine: whoever needs one says so.
    pub fn check(&self, mistakes: &mut Mistakes) -> Option<Keyring> {
        let file = self.master_keys_file.as_ref().filter(|file| !file.as_os_str().is_empty());
        let (argument, keys) = match (self.master_keys.expose_secret(), file) {
            (keys, None) => ("--master-keys", keys.parse()),
            ("", Some(file)) => {
                let text = std::fs::read_to_string(file).map(SecretString::from);
                let text = text.map_err(|error| {
                    mistakes.note("--master-keys-file", format!("{}: {error}", file.display()));
                });
                ("--master-keys-file", text.ok()?.expose_secret().parse())
            }
            (_, Some(_)) => {
                mistakes.note("--master-keys-file", "stands beside --master-keys: one is enough");
                return None;
            }
        };
        keys.map_err(|error| mistakes.note(argument, error)).ok()
    }
}
