//! The queue: hints that there is something to do. The truth is in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;

/// At-least-once delivery of small texts, as SQS's standard queues give it.
///
/// What every implementation promises, and one examination asks of all of them:
///
/// * `receive` is who waits: it returns as soon as there is a message, or empty after `wait`. Each
///   message it returns is invisible to everybody else for the queue's visibility timeout.
/// * A message that is neither acknowledged nor kept invisible in time comes again, with a higher
///   `receives` and a new receipt. After the queue's `max_receives` it moves to the dead letters.
/// * `Ok` from `send` says that each of the messages is stored. A failure of some is an error that
///   names them; the others are stored.
/// * Order is not promised, and a message may come twice.
/// * Errors are the network's or the server's, worth trying again. Nobody retries inside; whoever
///   calls decides, except that every call is bounded in time (a receive a little above its wait).
#[async_trait]
pub trait Queue: Send + Sync {
    /// At most `max` messages (1 to 10), waiting for the first for at most `wait` (up to 20 s).
    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Received>, QueueError>;

    /// Removes the message: what it caused is committed. A receipt that is no longer current is not
    /// an error, since redelivery is harmless.
    async fn acknowledge(&self, receipt: &Receipt) -> Result<(), QueueError>;

    /// From now on invisible for this long (0: visible at once, which is how a message is given back).
    async fn keep_invisible(&self, receipt: &Receipt, time: Duration) -> Result<(), QueueError>;

    /// Sends any number of messages, ten to a request where the queue has requests.
    async fn send(&self, messages: &[Outgoing]) -> Result<(), SendError>;

    /// Moves a message that can never be understood to the dead letters, with the reason.
    async fn dead_letter(&self, message: &Received, reason: &str) -> Result<(), QueueError>;

    /// Up to `max` dead letters, oldest first where the queue can tell. They stay where they are.
    async fn dead_letters(&self, max: usize) -> Result<Vec<DeadLetter>, QueueError>;

    /// Sends up to `max` dead letters again and removes them; how many.
    async fn requeue_dead_letters(&self, max: usize) -> Result<usize, QueueError>;

    /// Whether the queue answers, for `/readyz`.
    async fn check(&self) -> Result<(), QueueError>;

    /// About how many messages wait, for the gauge `queue_depth`.
    async fn depth(&self) -> Result<u64, QueueError>;
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub body: String,
    /// Messages of one group (a tenant) share fairly with other groups; they are not ordered.
    pub group: String,
    /// Not visible before; at most 15 minutes.
    pub delay: Duration,
    /// The trace that caused it (W3C `traceparent`), carried as an attribute.
    pub trace: Option<String>,
}

/// A message received.
#[derive(Clone, Debug)]
pub struct Received {
    pub body: String,
    pub receipt: Receipt,
    /// How many times it has been received, this time included.
    pub receives: u32,
    pub trace: Option<String>,
}

/// Names one receiving of one message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Receipt(pub String);

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    pub body: String,
    /// Absent when the queue moved it by itself after too many receives.
    pub reason: Option<String>,
}

#[derive(Debug, thiserror::Error)]
#[error("the queue did not answer as expected: {0:#}")]
pub struct QueueError(#[from] pub anyhow::Error);

/// Some or all messages of a `send` were not stored.
#[derive(Debug, thiserror::Error)]
#[error("{} messages were not sent: {source:#}", unsent.len())]
pub struct SendError {
    /// Positions in the slice that was to be sent.
    pub unsent: Vec<usize>,
    pub source: anyhow::Error,
}
