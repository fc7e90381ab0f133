//! What a message asks for, and what becomes of the message.

use std::time::Duration;

use metrics::counter;
use shared::domain::{DiscoveryId, IntegrationId, RequestedBy, RunId, RunMode, StreamId};
use shared::message::Message;
use shared::outbox::send_now;
use shared::queue::Received;
use shared::store::{Continued, DueMessage};
use shared::telemetry::Trace;
use tracing::{error, info, warn};

use crate::{Shutdown, Worker, discover, run};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispatched {
    /// Acknowledged, or among the dead letters with the reason.
    Removed,
    /// It could not be dealt with now, and comes again.
    Left,
}

/// Does what the message asks for, then removes it.
pub async fn dispatch(worker: &Worker, message: Received, shutdown: &Shutdown) -> Dispatched {
    let trace = Trace::continued(message.trace.as_deref());
    let dispatched = async {
        let fate = decide(worker, &message, shutdown).await;
        let dispatched = if fate.is_ok() { Dispatched::Removed } else { Dispatched::Left };
        tokio::select! {
            () = remove(worker, &message, fate) => {}
            () = too_late(shutdown) => warn!("a message was not removed in time; it comes again"),
        }
        dispatched
    };
    trace.around(dispatched).await
}

/// Whoever is to stop does not wait long for a queue that hangs.
async fn too_late(shutdown: &Shutdown) {
    shutdown.soft.cancelled().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
}

/// What becomes of a message.
enum Fate {
    Acknowledge,
    DeadLetter(Misunderstood),
}

/// A message that nobody will ever understand.
struct Misunderstood {
    /// For counting.
    sort: &'static str,
    why: String,
}

impl Fate {
    fn dead_letter(sort: &'static str, why: impl ToString) -> Self {
        Self::DeadLetter(Misunderstood { sort, why: why.to_string() })
    }
}

async fn decide(worker: &Worker, message: &Received, stop: &Shutdown) -> anyhow::Result<Fate> {
    match Message::decode(&message.body) {
        Ok(Message::Process { run, stream: None }) => process(worker, run, message, stop).await,
        Ok(Message::Process { run, stream: Some(stream) }) => {
            process_stream(worker, run, stream).await
        }
        Ok(Message::Start { integration, mode }) => start(worker, integration, mode).await,
        Ok(Message::Discover { discovery }) => discover(worker, discovery, stop).await,
        Err(invalid) => Ok(Fate::dead_letter("invalid", invalid)),
    }
}

async fn remove(worker: &Worker, message: &Received, fate: anyhow::Result<Fate>) {
    let (outcome, removed) = match fate {
        Ok(Fate::Acknowledge) => ("acknowledged", worker.queue.acknowledge(&message.receipt).await),
        Ok(Fate::DeadLetter(Misunderstood { sort, why })) => {
            error!("a message goes to the dead letters: {why}");
            counter!("dead_letters_total", "reason" => sort).increment(1);
            ("dead_letter", worker.queue.dead_letter(message, &why).await)
        }
        Err(error) => {
            warn!("a message is left for later: {error:#}");
            ("left", Ok(()))
        }
    };
    counter!("messages_total", "outcome" => outcome).increment(1);
    if let Err(error) = removed {
        // It comes again, and does no harm then.
        warn!("a message could not be removed: {error:#}");
    }
}

async fn process(
    worker: &Worker,
    id: RunId,
    message: &Received,
    shutdown: &Shutdown,
) -> anyhow::Result<Fate> {
    if run::process(worker, id, &message.receipt, shutdown).await? {
        return Ok(Fate::Acknowledge);
    }
    // It was not there to be claimed: finished, held, waiting, or unknown.
    Ok(match worker.store.run(id).await? {
        Some(_) => Fate::Acknowledge,
        None => Fate::dead_letter("unknown", format!("there is no run {id}")),
    })
}

/// Puts the stream back to pending. The run gets a message of its own: this one, kept until the run
/// is over, would step the stream once more if it came again.
async fn process_stream(worker: &Worker, run: RunId, stream: StreamId) -> anyhow::Result<Fate> {
    match worker.store.process_stream_again(run, stream).await? {
        Continued::Yes => {
            send(worker, run).await?;
            Ok(Fate::Acknowledge)
        }
        Continued::AnotherIsLive(other) => Ok(Fate::dead_letter(
            "conflict",
            format!("run {run} has ended, and run {other} of its integration is live"),
        )),
        Continued::Unknown => {
            let why = format!("there is no stream {stream} in run {run}");
            Ok(Fate::dead_letter("unknown", why))
        }
    }
}

/// Where nothing is fetched for the moment, it is sent by whoever lets it go on.
async fn send(worker: &Worker, run: RunId) -> anyhow::Result<()> {
    if let Some(due) = worker.store.run(run).await?.filter(|run| run.send_at.is_some()) {
        let due = DueMessage { run, tenant: due.tenant_id };
        send_now(&worker.store, &*worker.queue, due).await;
    }
    Ok(())
}

/// Makes the run, or joins the live one. It gets a message of its own.
async fn start(worker: &Worker, integration: IntegrationId, mode: RunMode) -> anyhow::Result<Fate> {
    let requested = worker.store.request_run(integration, mode, RequestedBy::Message).await?;
    let (Some(requested), Some(known)) = (requested, worker.store.integration(integration).await?)
    else {
        let why = format!("there is no integration {integration}");
        return Ok(Fate::dead_letter("unknown", why));
    };
    info!(integration = %integration, run = %requested.run, joined = requested.joined, "a run was asked for");
    if !requested.joined {
        let due = DueMessage { run: requested.run, tenant: known.tenant_id };
        send_now(&worker.store, &*worker.queue, due).await;
    }
    Ok(Fate::Acknowledge)
}

async fn discover(worker: &Worker, id: DiscoveryId, stop: &Shutdown) -> anyhow::Result<Fate> {
    if discover::discover(worker, id, stop).await? {
        return Ok(Fate::Acknowledge);
    }
    // It has ended, is held, waits, or is unknown.
    Ok(match worker.store.discovery(id).await? {
        Some(_) => Fate::Acknowledge,
        None => Fate::dead_letter("unknown", format!("there is no discovery {id}")),
    })
}
