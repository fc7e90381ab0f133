//! Posting messages. A message is a hint: about a run, the database says what is to be done, and
//! sends another one by its sweep if this one is lost.

use anyhow::Context;
use shared::domain::{RunId, TenantId};
use shared::message::Message;
use shared::outbox::outgoing;
use shared::queue::{Outgoing, Queue};
use shared::store::Store;

pub(crate) async fn post(
    queue: &dyn Queue,
    messages: impl IntoIterator<Item = (TenantId, Message)>,
) -> anyhow::Result<()> {
    let outgoing: Vec<Outgoing> =
        messages.into_iter().map(|(tenant, message)| outgoing(message, tenant)).collect();
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
    Ok(store.messages_sent(&runs, None).await?)
}

fn run_of(message: Message) -> Option<RunId> {
    match message {
        Message::Process { run, .. } => Some(run),
        Message::Start { .. } | Message::Discover { .. } => None,
    }
}
