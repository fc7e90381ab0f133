//! What both services and the CLI are told at start: where the database and the queue are, where the
//! admin port is. Arguments with environment fallbacks, read once; nothing else touches the
//! environment.
//!
//! Every argument is text until it is checked here, so that one start names every mistake.

mod mistakes;
mod platforms;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use mistakes::Mistakes;
pub use platforms::{PlatformArgs, PlatformConfig};

use crate::keyring::Keyring;
use crate::queue::sqs::SqsConfig;

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
        let url: Url = mistakes.read("--database-url", &self.database_url)?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            mistakes.note("--database-url", "must begin with postgres://");
        }
        Some(DatabaseConfig { url: self.database_url.clone(), connections: connections? })
    }
}

/// Where the hints are.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Queue")]
pub struct QueueArgs {
    /// An SQS queue, as URL or name; or `postgres`, the queue that needs nothing but the database
    #[arg(long, env = "QUEUE_URL", default_value = "postgres")]
    pub queue_url: String,
    /// Its dead-letter queue; found by the queue's redrive policy when left out
    #[arg(long, env = "DEAD_LETTER_QUEUE_URL")]
    pub dead_letter_queue_url: Option<String>,
    /// Another SQS than Amazon's, such as LocalStack
    #[arg(long, env = "AWS_ENDPOINT_URL_SQS")]
    pub sqs_endpoint_url: Option<String>,
    /// The queue's region
    #[arg(long, env = "AWS_REGION")]
    pub aws_region: Option<String>,
    /// Create the queue and its dead-letter queue if they are not there
    #[arg(long, env = "CREATE_QUEUES")]
    pub create_queues: bool,
    /// How long a received message stays invisible to other workers, in seconds
    #[arg(long, env = "VISIBILITY_SECONDS", default_value = "60")]
    pub visibility_seconds: String,
}

#[derive(Clone, Debug)]
pub enum QueueConfig {
    Postgres { visibility: Duration },
    Sqs { sqs: SqsConfig, create: bool },
}

impl QueueConfig {
    /// How long a received message stays invisible to others.
    pub fn visibility(&self) -> Duration {
        match self {
            Self::Postgres { visibility } => *visibility,
            Self::Sqs { sqs, .. } => sqs.visibility,
        }
    }
}

impl QueueArgs {
    pub fn check(&self, mistakes: &mut Mistakes) -> Option<QueueConfig> {
        let visibility = mistakes.read_seconds("--visibility-seconds", &self.visibility_seconds);
        let endpoint = self.sqs_endpoint_url.as_ref();
        let endpoint = endpoint.map(|url| mistakes.read::<Url>("--sqs-endpoint-url", url));
        if self.queue_url == "postgres" {
            return Some(QueueConfig::Postgres { visibility: visibility? });
        }
        if self.queue_url.is_empty() {
            mistakes.note("--queue-url", "names no queue");
            return None;
        }
        if self.queue_url.contains("://") {
            mistakes.read::<Url>("--queue-url", &self.queue_url)?;
        }
        if endpoint == Some(None) {
            return None;
        }
        let sqs = SqsConfig {
            queue_url: self.queue_url.clone(),
            dead_letter_queue_url: self.dead_letter_queue_url.clone(),
            endpoint_url: self.sqs_endpoint_url.clone(),
            region: self.aws_region.clone(),
            visibility: visibility?,
        };
        Some(QueueConfig::Sqs { sqs, create: self.create_queues })
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
    #[arg(long, env = "MASTER_KEYS_FILE", value_name = "FILE")]
    pub master_keys_file: Option<PathBuf>,
}

impl KeyringArgs {
    /// None at all is fine: whoever needs one says so.
    pub fn check(&self, mistakes: &mut Mistakes) -> Option<Keyring> {
        let (argument, keys) = match (self.master_keys.expose_secret(), &self.master_keys_file) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named_at_once() {
        let mut mistakes = Mistakes::default();
        let database =
            DatabaseArgs { database_url: "mysql://x".into(), database_connections: "many".into() };
        let queue = QueueArgs {
            queue_url: "http://[".into(),
            dead_letter_queue_url: None,
            sqs_endpoint_url: Some("nowhere".into()),
            aws_region: None,
            create_queues: false,
            visibility_seconds: "0".into(),
        };
        assert!(database.check(&mut mistakes).is_none());
        assert!(queue.check(&mut mistakes).is_none());
        let all = mistakes.all().join("\n");
        for argument in [
            "--database-connections",
            "--database-url",
            "--visibility-seconds",
            "--sqs-endpoint-url",
            "--queue-url",
        ] {
            assert!(all.contains(argument), "{argument} is missing in:\n{all}");
        }
    }

    #[test]
    fn a_queue_without_a_name_is_a_mistake() {
        let mut mistakes = Mistakes::default();
        let queue = QueueArgs {
            queue_url: String::new(),
            dead_letter_queue_url: None,
            sqs_endpoint_url: None,
            aws_region: None,
            create_queues: false,
            visibility_seconds: "60".into(),
        };
        assert!(queue.check(&mut mistakes).is_none());
        assert_eq!(mistakes.all(), ["--queue-url: names no queue"]);
    }

    #[test]
    fn master_keys_come_from_the_environment_or_from_a_file() {
        let key = crate::keyring::MasterKey::new("k1").unwrap().reveal().to_string();
        let file = std::env::temp_dir().join(format!("master-keys-{}", std::process::id()));
        std::fs::write(&file, format!("{key}\n")).unwrap();
        let missing = file.with_extension("missing");
        let read = |keys: &str, file: Option<&PathBuf>| {
            let mut mistakes = Mistakes::default();
            let master_keys = SecretString::from(keys.to_owned());
            let args = KeyringArgs { master_keys, master_keys_file: file.cloned() };
            let keyring = args.check(&mut mistakes);
            (
                keyring.and_then(|keyring| keyring.sealing_key().map(str::to_owned)),
                mistakes.all().join("; "),
            )
        };
        let good = (Some("k1".to_owned()), String::new());
        assert_eq!(read(&key, None), good);
        assert_eq!(read("", Some(&file)), good);
        assert_eq!(read("", None), (None, String::new()));
        for (keys, file, argument) in [
            ("k1:short", None, "--master-keys: "),
            (&*key, Some(&file), "--master-keys-file: stands beside"),
            ("", Some(&missing), "--master-keys-file: "),
        ] {
            let (keyring, mistakes) = read(keys, file);
            assert!(keyring.is_none() && mistakes.starts_with(argument), "{mistakes}");
        }
        std::fs::remove_file(&file).unwrap();
    }
}
