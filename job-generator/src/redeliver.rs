//! The sweep: sends every message that is due, whether it is a run's first or a lost one's
//! successor, a delayed run's or an abandoned one's. `store::outbox` says when each is due.

use anyhow::Context;
use metrics::gauge;
use shared::domain::RunId;
use shared::outbox;
use shared::queue::{Outgoing, SendError};
use shared::store::DueMessage;
use tracing::debug;

use crate::Generator;

/// Messages read, sent and noted at a time.
const BATCH: i64 = 1_000;

/// Sends until nothing is due. Sent first and noted afterwards: a crash between the two sends a
/// message twice, which does no harm.
pub async fn send_due(generator: &Generator) -> anyhow::Result<()> {
    loop {
        let due = generator.store.due_messages(BATCH).await?;
        gauge!("outbox_backlog").set(due.len() as f64);
        if due.is_empty() {
            return Ok(());
        }
        let (sent, failure) = send(generator, &due).await;
        generator.store.messages_sent(&sent).await?;
        debug!(sent = sent.len(), due = due.len(), "sent what was due");
        if let Some(failure) = failure {
            return Err(failure).context("sending what is due");
        }
    }
}

/// Which were sent, and why the others were not.
async fn send(generator: &Generator, due: &[DueMessage]) -> (Vec<RunId>, Option<SendError>) {
    let messages: Vec<Outgoing> = due.iter().copied().map(outbox::message).collect();
    let failure = generator.queue.send(&messages).await.err();
    let unsent = failure.as_ref().map_or(&[][..], |failure| &failure.unsent);
    let sent = due.iter().enumerate().filter(|(at, _)| !unsent.contains(at));
    (sent.map(|(_, due)| due.run).collect(), failure)
}
