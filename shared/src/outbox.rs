//! Sending the messages that runs wait for.
//!
//! Which runs want one, and when, they say themselves (`store/outbox.rs`). Whoever makes a run sends
//! its message at once; the generator's sweep sends whatever is due for any other reason.

use std::time::Duration;

use anyhow::Context;
use tokio::time::timeout;
use tracing::warn;

use crate::domain::TenantId;
use crate::message::Message;
use crate::queue::{Outgoing, Queue};
use crate::store::{DueDiscovery, DueMessage, Result as StoreResult, Store};
use crate::telemetry::Trace;

/// "Make progress on this run", in the group of its tenant and in the trace of whoever says it.
pub fn message(due: DueMessage) -> Outgoing {
    outgoing(Message::Process { run: due.run, stream: None }, due.tenant)
}

/// "List what can be synced", likewise.
pub fn discovery_message(due: DueDiscovery) -> Outgoing {
    outgoing(Message::Discover { discovery: due.discovery }, due.tenant)
}

/// Any message, likewise.
pub fn outgoing(message: Message, tenant: TenantId) -> Outgoing {
    Outgoing {
        body: message.encode(),
        group: tenant.to_string(),
        delay: Duration::ZERO,
        trace: Some(Trace::onwards().to_string()),
    }
}

/// Sends a run's message without waiting for the sweep, which sends it if this does not: a queue
/// that is away is nobody's failure.
pub async fn send_now(store: &Store, queue: &dyn Queue, due: DueMessage) {
    let runs = [due.run];
    let sent = send_and_note(queue, message(due), store.messages_sent(&runs, None)).await;
    if let Err(error) = sent {
        warn!(run.id = %due.run, "the sweep will send this run's message: {error:#}");
    }
}

/// The same for a discovery.
pub async fn send_discovery_now(store: &Store, queue: &dyn Queue, due: DueDiscovery) {
    let discoveries = [due.discovery];
    let noted = store.discoveries_sent(&discoveries);
    if let Err(error) = send_and_note(queue, discovery_message(due), noted).await {
        warn!(discovery.id = %due.discovery, "the sweep will send this discovery's message: {error:#}");
    }
}

/// Whoever sends has something better to do than to wait for a queue that hangs.
async fn send_and_note(
    queue: &dyn Queue,
    message: Outgoing,
    noted: impl Future<Output = StoreResult<()>>,
) -> anyhow::Result<()> {
    const AT_ONCE: Duration = Duration::from_secs(2);
    let sent = timeout(AT_ONCE, queue.send(&[message])).await;
    sent.context("the queue does not answer")??;
    Ok(noted.await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RunId;

    #[test]
    fn a_tenants_messages_share_fairly_with_other_tenants() {
        let due = DueMessage { run: RunId::new(), tenant: TenantId::new() };
        assert_eq!(message(due).group, due.tenant.to_string());
    }
}
