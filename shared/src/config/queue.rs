//! Where the hints are.

use std::time::Duration;

use clap::Args;

use super::Mistakes;
use crate::queue::sqs::SqsConfig;

/// SQS keeps nothing invisible for longer: 12 hours, in seconds.
const LONGEST_VISIBILITY: u64 = 12 * 60 * 60;

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
    #[arg(
        long,
        env = "CREATE_QUEUES",
        value_name = "YES|NO",
        num_args = 0..=1,
        require_equals = true,
        default_value = "no",
        default_missing_value = "yes"
    )]
    pub create_queues: String,
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
        // Each is read before any is looked at, so that every mistake is named.
        let visibility = self.visibility(mistakes);
        let create = mistakes.read_switch("--create-queues", &self.create_queues);
        let queue_url = read_queue(mistakes, "--queue-url", &self.queue_url);
        let dead_letter_queue_url = told(&self.dead_letter_queue_url)
            .map(|queue| read_queue(mistakes, "--dead-letter-queue-url", queue));
        let endpoint_url = told(&self.sqs_endpoint_url)
            .map(|url| mistakes.read_url("--sqs-endpoint-url", url).map(|_| url.to_owned()));
        if self.queue_url == "postgres" {
            return Some(QueueConfig::Postgres { visibility: visibility? });
        }
        let sqs = SqsConfig {
            queue_url: queue_url?,
            dead_letter_queue_url: all_or_nothing(dead_letter_queue_url)?,
            endpoint_url: all_or_nothing(endpoint_url)?,
            region: told(&self.aws_region).map(str::to_owned),
            visibility: visibility?,
        };
        Some(QueueConfig::Sqs { sqs, create: create? })
    }

    /// How long a received message stays invisible to others.
    pub(crate) fn visibility(&self, mistakes: &mut Mistakes) -> Option<Duration> {
        let argument = "--visibility-seconds";
        mistakes.read_seconds_up_to(argument, &self.visibility_seconds, LONGEST_VISIBILITY)
    }
}

/// A variable that is set to nothing is not set.
fn told(argument: &Option<String>) -> Option<&str> {
    argument.as_deref().filter(|text| !text.is_empty())
}

/// A queue's name or URL.
fn read_queue(mistakes: &mut Mistakes, argument: &str, queue: &str) -> Option<String> {
    if queue.is_empty() {
        mistakes.note(argument, "names no queue");
        return None;
    }
    if queue.ends_with(".fifo") {
        let fifo = format!("{queue} is a FIFO queue, which cannot delay single messages");
        mistakes.note(argument, format!("{fifo}; use a standard queue"));
        return None;
    }
    if queue.contains("://") {
        mistakes.read_url(argument, queue)?;
    }
    Some(queue.to_owned())
}

/// `None` where something was told and is wrong.
#[expect(clippy::option_option, reason = "told or not, and right or wrong")]
fn all_or_nothing(told: Option<Option<String>>) -> Option<Option<String>> {
    match told {
        Some(wrong_or_right) => wrong_or_right.map(Some),
        None => Some(None),
    }
}
