//! Sending: batches of ten, several at a time.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::anyhow;
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use futures_util::{StreamExt, stream};

use super::{SqsQueue, TRACE, seconds};
use crate::queue::limits::{self, MOST_AT_ONCE, Unsent};
use crate::queue::{Outgoing, SendError};

/// Requests at a time of one `send`.
const BATCHES_AT_ONCE: usize = 8;
/// Bytes of a request's bodies together: SQS's mebibyte, less room for ten messages' attributes.
const LONGEST_BATCH: usize = (1 << 20) - 10 * 1024;

impl SqsQueue {
    pub(super) async fn send_in_batches(&self, messages: &[Outgoing]) -> Result<(), SendError> {
        let mut unsent = Unsent::default();
        let batches = batches(messages, limits::acceptable(messages, &mut unsent));
        let away = AtomicBool::new(false);
        let sending: Vec<_> =
            batches.into_iter().map(|batch| self.send_batch(messages, batch, &away)).collect();
        let mut sending = stream::iter(sending).buffer_unordered(BATCHES_AT_ONCE);
        while let Some(result) = sending.next().await {
            if let Err((positions, because)) = result {
                unsent.note(positions, because);
            }
        }
        unsent.into_result()
    }

    /// An error comes with the positions that SQS did not confirm. Once it does not answer one batch,
    /// it is not asked to take the next: a hundred that hang would take minutes.
    async fn send_batch(
        &self,
        messages: &[Outgoing],
        mut positions: Vec<usize>,
        away: &AtomicBool,
    ) -> Result<(), (Vec<usize>, anyhow::Error)> {
        if away.load(Ordering::Relaxed) {
            return Err((positions, anyhow!("SQS did not answer those before")));
        }
        let entries = positions.iter().map(|position| entry(*position, &messages[*position]));
        let request = self.client.send_message_batch().queue_url(&self.url);
        let request = request.set_entries(Some(entries.collect()));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let no_answer =
                    matches!(error, SdkError::TimeoutError(_) | SdkError::DispatchFailure(_));
                away.fetch_or(no_answer, Ordering::Relaxed);
                return Err((positions, anyhow!(error).context("sending to SQS")));
            }
        };
        for confirmed in &answer.successful {
            positions.retain(|position| position.to_string() != confirmed.id);
        }
        if positions.is_empty() {
            return Ok(());
        }
        let reason = answer.failed.first().map(|failure| {
            anyhow!("SQS refused a message: {} {}", failure.code, failure.message().unwrap_or(""))
        });
        Err((positions, reason.unwrap_or_else(|| anyhow!("SQS did not confirm all messages"))))
    }
}

/// Ten at most, and not more bytes than a request may have.
fn batches(messages: &[Outgoing], positions: Vec<usize>) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut bytes = 0;
    for position in positions {
        let length = messages[position].body.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < MOST_AT_ONCE && bytes + length <= LONGEST_BATCH => {
                batch.push(position);
                bytes += length;
            }
            _ => {
                batches.push(vec![position]);
                bytes = length;
            }
        }
    }
    batches
}

/// The id tells in the answer which message is meant.
fn entry(position: usize, message: &Outgoing) -> SendMessageBatchRequestEntry {
    let delay = seconds(message.delay);
    SendMessageBatchRequestEntry::builder()
        .id(position.to_string())
        .message_body(&message.body)
        .message_group_id(&message.group)
        .set_delay_seconds((delay > 0).then_some(delay))
        .set_message_attributes(
            message.trace.as_ref().map(|trace| [(TRACE.to_owned(), text(trace))].into()),
        )
        .build()
        .expect("id and body are set")
}

/// A message attribute of type `String`.
pub(super) fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
        .expect("the type is set")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_batch_is_full_at_ten_messages_or_at_a_mebibyte() {
        let sizes = [vec![10; 12], vec![1_000_000, 30_000, 500_000, 500_000, 1]].concat();
        let message = |size: &usize| Outgoing {
            body: "x".repeat(*size),
            group: "tenant".into(),
            delay: Duration::ZERO,
            trace: None,
        };
        let messages: Vec<_> = sizes.iter().map(message).collect();
        let batches = batches(&messages, (0..messages.len()).collect());
        insta::assert_compact_debug_snapshot!(
            batches.iter().map(Vec::len).collect::<Vec<_>>(),
            @"[10, 4, 3]"
        );
    }
}
