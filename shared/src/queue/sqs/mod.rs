//! The queue for production: an SQS standard queue with a dead-letter queue.
//!
//! `MessageGroupId` is the tenant, which makes it a fair queue: SQS holds back the groups that keep
//! the workers busiest, and orders nothing. Redelivery and the move to the dead letters after too
//! many receives are SQS's own; [`create_queues`] makes a pair of queues that do so.
//!
//! **One owner per failure.** The SDK retries nothing: a failed acknowledgement means a redelivery,
//! which is harmless; a message that was not sent is sent by the sweep; a receive that fails is
//! followed by the next. Each call is bounded in time as a whole, credentials included. A receive
//! too, although SQS itself ends it after its wait: an answer can get lost on the way for ever
//! (aws-sdk-rust#1094).
//!
//! **Permissions**: `sqs:ReceiveMessage`, `DeleteMessage`, `ChangeMessageVisibility`, `SendMessage`
//! and `GetQueueAttributes` on both queues, and `GetQueueUrl` where names are given instead of URLs
//! or the dead-letter queue is left to be found.

mod client;
mod create;
mod dead_letters;
mod send;

use std::time::Duration;

use anyhow::{Context, ensure};
use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Config;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    Message, MessageSystemAttributeName as SystemAttribute, QueueAttributeName,
};
use chrono::DateTime;
use tokio::sync::OnceCell;

pub use self::client::client;
pub use self::create::{QueueUrls, create_queues};
use super::limits::{LONGEST_WAIT, MOST_AT_ONCE};
use super::{DeadLetter, Outgoing, Queue, QueueError, Receipt, Received, SendError};

/// The message attribute that carries `trace`.
const TRACE: &str = "traceparent";

#[derive(Clone, Debug)]
pub struct SqsConfig {
    /// The queue's URL, or just its name in the account that the credentials belong to.
    pub queue_url: String,
    /// The same of the dead-letter queue; `None` to go by the queue's redrive policy.
    pub dead_letter_queue_url: Option<String>,
    /// For anything but AWS's own endpoint. One over plain `http` is taken for an emulator, which
    /// is happy without credentials.
    pub endpoint_url: Option<String>,
    /// `None` to go by the queue's URL, or else by the environment and the AWS profile.
    pub region: Option<String>,
    /// How long a received message stays invisible, in whole seconds.
    pub visibility: Duration,
}

pub struct SqsQueue {
    client: Client,
    url: String,
    /// Looked up when first needed, unless configured.
    dead_letter_url: OnceCell<String>,
    visibility: Duration,
}

impl SqsQueue {
    /// Asks SQS only for the URLs of queues that are given by name.
    pub async fn connect(config: &SqsConfig) -> Result<Self, QueueError> {
        let region = region_of(&config.queue_url).or(config.region.as_deref());
        let client = client(config.endpoint_url.as_deref(), region).await?;
        let url = url_of(&client, &config.queue_url).await?;
        let dead_letter_url = match &config.dead_letter_queue_url {
            Some(queue) => Some(url_of(&client, queue).await?),
            None => None,
        };
        Ok(Self {
            client,
            url,
            dead_letter_url: OnceCell::new_with(dead_letter_url),
            visibility: config.visibility,
        })
    }
}

/// A queue's URL knows its region best: no other region has this queue.
fn region_of(queue_url: &str) -> Option<&str> {
    let host = queue_url.strip_prefix("https://sqs.")?.split('/').next()?;
    let (region, domain) = host.split_once('.')?;
    domain.starts_with("amazonaws.com").then_some(region)
}

async fn url_of(client: &Client, queue: &str) -> anyhow::Result<String> {
    ensure!(
        !queue.ends_with(".fifo"),
        "{queue} is a FIFO queue, which cannot delay single messages; use a standard queue"
    );
    if queue.contains("://") {
        return Ok(queue.to_owned());
    }
    let answer = client.get_queue_url().queue_name(queue).send().await;
    let url = answer.with_context(|| format!("looking up the URL of the queue {queue}"))?.queue_url;
    url.with_context(|| format!("SQS knows no URL of the queue {queue}"))
}

#[async_trait]
impl Queue for SqsQueue {
    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Received>, QueueError> {
        let wait = wait.min(LONGEST_WAIT);
        let patient = Config::builder().timeout_config(client::answer_after(wait));
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(max.clamp(1, MOST_AT_ONCE) as i32)
            .wait_time_seconds(seconds(wait))
            .visibility_timeout(seconds(self.visibility))
            .message_system_attribute_names(SystemAttribute::ApproximateReceiveCount)
            .message_system_attribute_names(SystemAttribute::MessageGroupId)
            .message_system_attribute_names(SystemAttribute::SentTimestamp)
            .message_attribute_names(TRACE)
            .customize()
            .config_override(patient)
            .send()
            .await
            .context("receiving from SQS")?;
        let messages = answer.messages.unwrap_or_default().into_iter();
        Ok(messages.map(received).collect::<anyhow::Result<_>>()?)
    }

    async fn acknowledge(&self, receipt: &Receipt) -> Result<(), QueueError> {
        let delete = self.client.delete_message().queue_url(&self.url);
        let answer = delete.receipt_handle(&receipt.0).send().await;
        Ok(unless_stale(answer).context("acknowledging a message to SQS")?)
    }

    async fn keep_invisible(&self, receipt: &Receipt, time: Duration) -> Result<(), QueueError> {
        let change = self.client.change_message_visibility().queue_url(&self.url);
        let change = change.receipt_handle(&receipt.0).visibility_timeout(seconds(time));
        let answer = change.send().await;
        Ok(unless_stale(answer).context("keeping a message of SQS invisible")?)
    }

    async fn send(&self, messages: &[Outgoing]) -> Result<(), SendError> {
        self.send_in_batches(messages).await
    }

    async fn dead_letter(&self, message: &Received, reason: &str) -> Result<(), QueueError> {
        self.send_to_dead_letters(message, reason).await?;
        self.acknowledge(&message.receipt).await
    }

    async fn dead_letters(&self, max: usize) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(self.peek_at_dead_letters(max).await?)
    }

    async fn requeue_dead_letters(&self, max: usize) -> Result<usize, QueueError> {
        Ok(self.send_dead_letters_again(max).await?)
    }

    async fn check(&self) -> Result<(), QueueError> {
        self.depth().await.map(drop)
    }

    async fn depth(&self) -> Result<u64, QueueError> {
        let attribute = QueueAttributeName::ApproximateNumberOfMessages;
        let depth = attribute_of(&self.client, &self.url, attribute).await?;
        Ok(depth.parse().with_context(|| format!("{depth:?} is not a number of messages"))?)
    }
}

fn received(message: Message) -> anyhow::Result<Received> {
    let attribute = |name| message.attributes.as_ref().and_then(|attributes| attributes.get(&name));
    Ok(Received {
        receives: attribute(SystemAttribute::ApproximateReceiveCount)
            .and_then(|count| count.parse().ok())
            .context("SQS did not say how often a message was received")?,
        group: attribute(SystemAttribute::MessageGroupId).cloned(),
        trace: string_attribute(&message, TRACE),
        sent_at: attribute(SystemAttribute::SentTimestamp)
            .and_then(|milliseconds| milliseconds.parse().ok())
            .and_then(DateTime::from_timestamp_millis),
        body: message.body.context("SQS delivered a message without a body")?,
        receipt: Receipt(
            message.receipt_handle.context("SQS delivered a message without receipt")?,
        ),
    })
}

fn string_attribute(message: &Message, name: &str) -> Option<String> {
    message.message_attributes.as_ref()?.get(name)?.string_value.clone()
}

/// No error where the message has come again or is gone, which AWS and the emulators each say in
/// their own way.
fn unless_stale<T, E>(answer: Result<T, E>) -> anyhow::Result<()>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let Err(error) = answer else { return Ok(()) };
    let code = error.code().unwrap_or_default();
    let names_receipt = error.message().is_some_and(|message| message.contains("ReceiptHandle"));
    let is_stale = code.ends_with("ReceiptHandleIsInvalid")
        || code.ends_with("MessageNotInflight")
        || code.ends_with("InvalidParameterValue") && names_receipt;
    if is_stale { Ok(()) } else { Err(error.into()) }
}

async fn attribute_of(
    client: &Client,
    queue_url: &str,
    name: QueueAttributeName,
) -> anyhow::Result<String> {
    let question = client.get_queue_attributes().queue_url(queue_url).attribute_names(name.clone());
    let answer = question.send().await.with_context(|| format!("asking SQS for the {name}"))?;
    let value = answer.attributes.and_then(|mut attributes| attributes.remove(&name));
    value.with_context(|| format!("SQS did not tell the {name} of {queue_url}"))
}

/// SQS counts whole seconds; rounded up, so that a short wait remains a wait.
fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_read_from_aws_urls_only() {
        assert_eq!(region_of("https://sqs.eu-west-1.amazonaws.com/1234/runs"), Some("eu-west-1"));
        assert_eq!(
            region_of("https://sqs.cn-north-1.amazonaws.com.cn/1234/runs"),
            Some("cn-north-1")
        );
        assert_eq!(region_of("http://sqs.us-east-1.localhost.localstack.cloud:4566/0/runs"), None);
        assert_eq!(region_of("http://127.0.0.1:4566/000000000000/runs"), None);
        assert_eq!(region_of("runs"), None);
    }

    #[test]
    fn seconds_are_rounded_up() {
        assert_eq!(seconds(Duration::ZERO), 0);
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_secs(20)), 20);
    }
}
