//! The sweep: sends every message that is due, whether it is a run's first or a lost one's
//! successor, a delayed run's or an abandoned one's. `store::outbox` says when each is due, and
//! `store::discoveries` the same of discoveries.

use anyhow::Context;
use shared::outbox;
use shared::queue::{Outgoing, SendError};
use tracing::debug;

use crate::Generator;

/// Messages read, sent and noted at a time.
const BATCH: i64 = 1_000;

/// Sends until nothing is due. Sent first and noted afterwards: a crash between the two sends a
/// message twice, which does no harm.
pub async fn send_due(generator: &Generator) -> anyhow::Result<()> {
    send_due_discoveries(generator).await?;
    loop {
        let due = generator.store.due_messages(BATCH).await?;
        if due.is_empty() {
            return Ok(());
        }
        let due_by = generator.store.now().await?;
        let (sent, failure) = send(generator, &due, outbox::message).await;
        let runs: Vec<_> = sent.iter().map(|due| due.run).collect();
        generator.store.messages_sent(&runs, Some(due_by)).await?;
        debug!(sent = runs.len(), due = due.len(), "sent what was due");
        if let Some(failure) = failure {
            return Err(failure).context("sending what is due");
        }
    }
}

/// People wait for these, so they come first; there are never many.
async fn send_due_discoveries(generator: &Generator) -> anyhow::Result<()> {
    let due = generator.store.due_discoveries(BATCH).await?;
    if due.is_empty() {
        return Ok(());
    }
    let (sent, failure) = send(generator, &due, outbox::discovery_message).await;
    let discoveries: Vec<_> = sent.iter().map(|due| due.discovery).collect();
    generator.store.discoveries_sent(&discoveries).await?;
    failure.map_or(Ok(()), |failure| Err(failure).context("sending discoveries that are due"))
}

/// Those whose message was sent, and why that of the others was not.
async fn send<D: Copy>(
    generator: &Generator,
    due: &[D],
    message: fn(D) -> Outgoing,
) -> (Vec<D>, Option<SendError>) {
    let messages: Vec<Outgoing> = due.iter().copied().map(message).collect();
    let failure = generator.queue.send(&messages).await.err();
    let unsent = failure.as_ref().map_or(&[][..], |failure| &failure.unsent);
    let sent = (0..due.len()).filter(|at| !unsent.contains(at)).map(|at| due[at]).collect();
    (sent, failure)
}
