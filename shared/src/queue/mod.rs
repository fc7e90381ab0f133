//! The queue: hints that there is something to do. The truth is in PostgreSQL.
//!
//! [`sqs`] is for production, [`postgres`] for whoever has nothing but a database, [`memory`] for
//! tests. All three sit one examination, in `tests/queue/`.

mod connect;
mod limits;
pub mod memory;
pub mod postgres;
pub mod sqs;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use self::connect::connect;
pub use self::limits::{LONGEST_BODY, LONGEST_DELAY, LONGEST_WAIT, MOST_AT_ONCE};

/// At-least-once delivery of small texts, as SQS's standard queues give it.
///
/// What every implementation promises, and one examination asks of all of them:
///
/// * `receive` is who waits: it returns as soon as there is a message, or empty after `wait`. Each
///   message it returns is invisible to everybody else for the queue's visibility timeout.
/// * A message that is neither acknowledged nor kept invisible in time comes again, with a higher
///   `receives` and a new receipt. After [`Redelivery::max_receives`] it moves to the dead letters
///   instead.
/// * `Ok` from `send` says that each of the messages is stored. A failure of some is an error that
///   names them; the others are stored. A message named may be stored nevertheless, if only the
///   answer was lost: sending it again is harmless.
/// * A receipt that is no longer current is not an error, since redelivery is harmless. SQS may
///   still remove a message by its old receipt; what must not happen twice is fenced in the
///   database, not here.
/// * Order is not promised, and a message may come twice.
/// * Errors are the network's or the server's, worth trying again. Nobody retries inside; whoever
///   calls decides, except that every call is bounded in time (a receive a few seconds above its
///   wait).
/// * Dropping a call's future loses nothing: what was on its way comes again when it is visible.
#[async_trait]
pub trait Queue: Send + Sync {
    /// At most `max` messages (1 to [`MOST_AT_ONCE`]), waiting for the first for at most `wait` (up
    /// to [`LONGEST_WAIT`]).
    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Received>, QueueError>;

    /// Removes the message: what it caused is committed.
    async fn acknowledge(&self, receipt: &Receipt) -> Result<(), QueueError>;

    /// From now on invisible for this long (0: visible at once, which is how a message is given
    /// back). SQS counts in whole seconds, rounded up, and allows 12 hours since the receive.
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

    /// About how many messages wait to be received, for the gauge `queue_depth`.
    async fn depth(&self) -> Result<u64, QueueError>;
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// At most [`LONGEST_BODY`] bytes.
    pub body: String,
    /// Messages of one group (a tenant) share fairly with other groups, as far as the queue can;
    /// they are not ordered. 1 to 128 letters, digits and punctuation marks.
    pub group: String,
    /// Not visible before; at most [`LONGEST_DELAY`]. SQS counts in whole seconds, rounded up.
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
    /// Absent when it was posted by hand.
    pub group: Option<String>,
    pub trace: Option<String>,
    /// When it was sent, or sent again from the dead letters, by the queue's clock, which may be
    /// another than ours; `None` if the queue did not say.
    pub sent_at: Option<DateTime<Utc>>,
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

/// How a queue treats messages that nobody acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redelivery {
    /// How long a received message stays invisible, unless it is kept invisible for longer.
    pub visibility: Duration,
    /// How often a message is delivered before it becomes a dead letter.
    pub max_receives: u32,
}

impl Default for Redelivery {
    /// Many receives, since attempts are counted in the run's row: the dead letters are only for
    /// what never got as far as a row.
    fn default() -> Self {
        Self { visibility: Duration::from_secs(60), max_receives: 50 }
    }
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct QueueError(#[from] pub anyhow::Error);

/// Some or all messages of a `send` were not stored.
#[derive(Debug, thiserror::Error)]
#[error("{} messages were not sent", unsent.len())]
pub struct SendError {
    /// Positions in the slice that was to be sent, ascending.
    pub unsent: Vec<usize>,
    /// Why the first of them was not sent.
    pub source: anyhow::Error,
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_cause_is_said_once_however_an_error_is_wrapped() {
        let refused = || anyhow!("connection refused").context("asking the queue");
        let once = "asking the queue: connection refused";
        assert_eq!(format!("{:#}", QueueError(refused())), once);
        assert_eq!(format!("{:#}", anyhow::Error::from(QueueError(refused()))), once);
        let unsent = anyhow::Error::from(SendError { unsent: vec![0], source: refused() });
        assert_eq!(format!("{unsent:#}"), format!("1 messages were not sent: {once}"));
    }
}
