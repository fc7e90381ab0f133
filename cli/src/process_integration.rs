//! `millrace process-integration`: a message for each integration, which starts a run of it, or
//! joins the live one.

use std::process::ExitCode;

use anyhow::bail;
use shared::config::{DatabaseArgs, QueueArgs};
use shared::domain::{Integration, IntegrationId, IntegrationStatus, RunMode};
use shared::message::Message;
use shared::store::Store;

use crate::lists::all_known;
use crate::post::post;
use crate::{connections, integrations, stdout};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// Everything there is, instead of what is new since the last check
    #[arg(short, long)]
    onboarding: bool,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    queue: QueueArgs,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// These integrations
    #[arg(short, long = "integration", value_name = "ID", value_delimiter = ',')]
    integrations: Vec<IntegrationId>,
    /// All active integrations of a platform
    #[arg(short = 'p', long, alias = "platform")]
    kind: Option<String>,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (store, queue) = connections::store_and_queue(&args.database, &args.queue).await?;
    let integrations = args.which.find(&store).await?;
    for waits in integrations.iter().filter(|one| one.status != IntegrationStatus::Active) {
        eprintln!("warning: integration {} is not active: its run waits until it is", waits.id);
    }
    let mode = RunMode::from_onboarding(args.onboarding);
    let messages = integrations
        .iter()
        .map(|one| (one.tenant_id, Message::Start { integration: one.id, mode }));
    post(&*queue, messages).await?;
    stdout::line(format!("posted: {} ({})", integrations.len(), mode.as_str()))?;
    Ok(ExitCode::SUCCESS)
}

impl Which {
    async fn find(&self, store: &Store) -> anyhow::Result<Vec<Integration>> {
        match &self.kind {
            Some(kind) => active_of_kind(store, kind).await,
            None => {
                let find = async |id| store.integration(id).await;
                all_known("integration", &self.integrations, find).await
            }
        }
    }
}

async fn active_of_kind(store: &Store, kind: &str) -> anyhow::Result<Vec<Integration>> {
    let mut integrations = integrations::all(store, None, Some(kind)).await?;
    integrations.retain(|one| one.status == IntegrationStatus::Active);
    if integrations.is_empty() {
        bail!("there is no active integration of kind `{kind}`; nothing was posted");
    }
    Ok(integrations)
}
