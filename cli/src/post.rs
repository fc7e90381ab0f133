//! Posting messages. A message is a hint: about a run, the database says what is to be done, and
//! sends another one by its sweep if this one is lost.

use std::time::Duration;

use anyhow::Context;
use shared::domain::{RunId, TenantId};
use shared::message::Message;
use shared::queue::{Outgoing, Queue};
use shared::store::Store;
use shared::telemetry::Trace;

pub(crate) async fn post(
    queue: &dyn Queue,
    messages: impl IntoIterator<Item = (TenantId, Message)>,
) -> anyhow::Result<()> {
    let outgoing: Vec<Outgoing> =
        messages.into_iter().map(|(tenant, message)| outgoing(tenant, message)).collect();
    queue.send(&outgoing).await.context("posting")
}

/// Posts messages about runs that are due, and notes it, so that the sweep does not send them too.
pub(crate) async fn post_about_runs(
    store: &Store,
    queue: &dyn Queue,
    messages: Vec<(TenantId, Message)>,
) -> anyhow::Result<()> {
    let runs: Vec<RunId> = messages.iter().filter_map(|(_, message)| run_of(*message)).collect();
    post(queue, messages).await?;
    Ok(store.messages_sent(&runs).await?)
}

fn outgoing(tenant: TenantId, message: Message) -> Outgoing {
    Outgoing {
        body: message.encode(),
        group: tenant.to_string(),
        delay: Duration::ZERO,
        trace: Some(Trace::onwards().to_string()),
    }
}

fn run_of(message: Message) -> Option<RunId> {
    match message {
        Message::Process { run, .. } => Some(run),
        Message::Start { .. } | Message::Discover { .. } => None,
    }
}
