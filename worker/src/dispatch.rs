//! What a message asks for, and what becomes of the message.

use metrics::counter;
use shared::domain::{IntegrationId, RequestedBy, RunId, RunMode, StreamId};
use shared::message::Message;
use shared::outbox::send_now;
use shared::queue::Received;
use shared::store::{Continued, DueMessage};
use tracing::{error, info, warn};

use crate::{Shutdown, Worker, run};

/// Does what the message asks for, then removes it: acknowledged, or among the dead letters with the
/// reason. A message that could not be dealt with now is left, and comes again.
pub async fn dispatch(worker: &Worker, message: Received, shutdown: &Shutdown) {
    let dealt_with = match Message::decode(&message.body) {
        Ok(Message::Process { run, stream: None }) => {
            process(worker, run, &message, shutdown).await
        }
        Ok(Message::Process { run, stream: Some(stream) }) => {
            process_stream(worker, run, stream, &message, shutdown).await
        }
        Ok(Message::Start { integration, mode }) => start(worker, integration, mode).await,
        Err(invalid) => Ok(Fate::DeadLetter(invalid.to_string())),
    };
    let settled = match &dealt_with {
        Ok(Fate::Acknowledge) => worker.queue.acknowledge(&message.receipt).await,
        Ok(Fate::DeadLetter(reason)) => {
            error!(reason, "a message goes to the dead letters");
            worker.queue.dead_letter(&message, reason).await
        }
        Err(error) => {
            warn!("a message is left for later: {error:#}");
            Ok(())
        }
    };
    counter!("messages_total", "outcome" => outcome(&dealt_with)).increment(1);
    if let Err(error) = settled {
        // It comes again, and does no harm then.
        warn!("a message could not be removed: {error:#}");
    }
}

enum Fate {
    Acknowledge,
    /// It can never be understood, for this reason.
    DeadLetter(String),
}

fn outcome(dealt_with: &anyhow::Result<Fate>) -> &'static str {
    match dealt_with {
        Ok(Fate::Acknowledge) => "acknowledged",
        Ok(Fate::DeadLetter(_)) => "dead_letter",
        Err(_) => "left",
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
        None => Fate::DeadLetter(format!("there is no run {id}")),
    })
}

/// Puts the stream back to pending, then processes its run, which steps it.
async fn process_stream(
    worker: &Worker,
    run: RunId,
    stream: StreamId,
    message: &Received,
    shutdown: &Shutdown,
) -> anyhow::Result<Fate> {
    match worker.store.process_stream_again(run, stream).await? {
        Continued::Yes => process(worker, run, message, shutdown).await,
        Continued::AnotherIsLive(other) => Ok(Fate::DeadLetter(format!(
            "run {run} has ended, and run {other} of its integration is live"
        ))),
        Continued::Unknown => {
            Ok(Fate::DeadLetter(format!("there is no stream {stream} in run {run}")))
        }
    }
}

/// Makes the run, or joins the live one. It gets a message of its own.
async fn start(worker: &Worker, integration: IntegrationId, mode: RunMode) -> anyhow::Result<Fate> {
    let requested = worker.store.request_run(integration, mode, RequestedBy::Message).await?;
    let (Some(requested), Some(known)) = (requested, worker.store.integration(integration).await?)
    else {
        return Ok(Fate::DeadLetter(format!("there is no integration {integration}")));
    };
    info!(integration = %integration, run = %requested.run, joined = requested.joined, "a run was asked for");
    if !requested.joined {
        let due = DueMessage { run: requested.run, tenant: known.tenant_id };
        send_now(&worker.store, &*worker.queue, due).await;
    }
    Ok(Fate::Acknowledge)
}
