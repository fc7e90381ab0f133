//! `millrace connect`: an integration, as the HTTP API would make it: settings that decode, that the
//! platform confirms, and an onboarding that begins at once.

#[cfg(test)]
mod tests;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use serde_json::{Value, json};
use shared::config::{
    DatabaseArgs, DatabaseConfig, KeyringArgs, Mistakes, PlatformArgs, QueueArgs, QueueConfig,
};
use shared::domain::{CredentialId, RequestedBy, TenantId};
use shared::integrations::registry;
use shared::keyring::Keyring;
use shared::message::Message;
use shared::queue::{self, Queue};
use shared::sdk::{DynIntegration, Registry};
use shared::store::{Connected, Store};
use shared::vault::Vault;
use shared::verify::{Unworkable, Wish, to_be_connected};

use crate::connections::open_store;
use crate::integrations::IntegrationView;
use crate::post::post_about_runs;
use crate::runs::RunView;
use crate::settings::{SettingsArgs, find};
use crate::{stdout, tenants};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The platform: devto, …
    kind: String,
    /// Whose integration it is, by id or name
    #[arg(long)]
    tenant: String,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Sync only this unit (repository, channel, …); may be repeated
    #[arg(long = "unit", value_name = "UNIT")]
    units: Vec<String>,
    /// What lets it in; `millrace credentials add` stores one
    #[arg(long, value_name = "ID")]
    credential: Option<CredentialId>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    /// The length of a tick, as the job-generators have it
    #[arg(long, env = "TICK_SECONDS", value_name = "SECONDS", default_value = "60")]
    tick_seconds: String,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    queue: QueueArgs,
    #[command(flatten)]
    platforms: PlatformArgs,
    #[command(flatten)]
    keyring: KeyringArgs,
}

/// Everything that is told, checked.
struct Start {
    database: DatabaseConfig,
    queue: QueueConfig,
    registry: Registry,
    keyring: Keyring,
    checked: Checked,
}

/// What is to be connected, checked as far as it can be without asking anybody.
struct Checked {
    integration: Arc<dyn DynIntegration>,
    settings: Value,
    units: Vec<String>,
    credential: Option<CredentialId>,
    /// The length of a tick.
    tick: Duration,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Start { database, queue, registry, keyring, checked } = args.check_or_exit()?;
    let store = open_store(&database).await?;
    job_generator::agree_on_ticks(&store, checked.tick).await?;
    let vault = Vault::new(&store, &registry, keyring);
    let queue = queue::connect(&queue, &store).await?;
    let tenant = tenants::find(&store, &args.tenant).await?;
    let connected = connect(&store, &vault, tenant.id, checked).await;
    vault.close().await;
    let connected = connected?;
    post_onboarding(&store, &*queue, &connected).await;
    answer(connected, args.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn check_or_exit(&self) -> anyhow::Result<Start> {
        let mut mistakes = Mistakes::default();
        let database = self.database.check(&mut mistakes);
        let queue = self.queue.check(&mut mistakes);
        let tick = mistakes.read_seconds("--tick-seconds", &self.tick_seconds);
        let settings = self.settings.read(&mut mistakes);
        let keyring = self.keyring.check(&mut mistakes);
        let platforms = self.platforms.check(&mut mistakes);
        let registry = platforms.map(|platforms| registry(&platforms)).transpose()?;
        let integration = registry
            .as_ref()
            .and_then(|registry| find(registry, &self.kind, settings.as_ref(), &mut mistakes));
        let connections = database.zip(queue).zip(registry).zip(keyring);
        let checked = connections.zip(tick.zip(integration).zip(settings));
        let ((((database, queue), registry), keyring), ((tick, integration), settings)) =
            mistakes.or_exit(checked);
        let (units, credential) = (self.units.clone(), self.credential);
        let checked = Checked { integration, settings, units, credential, tick };
        Ok(Start { database, queue, registry, keyring, checked })
    }
}

/// Asks the platform, then stores the integration together with its onboarding.
async fn connect(
    store: &Store,
    vault: &Vault,
    tenant_id: TenantId,
    checked: Checked,
) -> anyhow::Result<Connected> {
    let Checked { integration, settings, units, credential, tick } = checked;
    let kind = integration.kind();
    let wish = Wish {
        tenant: tenant_id,
        integration: &*integration,
        settings: &settings,
        units: &units,
        credential,
    };
    let new = to_be_connected(store, vault, wish, tick).await.map_err(|why| refusal(kind, why))?;
    Ok(store.connect(&new, RequestedBy::Cli).await?)
}

fn refusal(kind: &str, why: Unworkable) -> anyhow::Error {
    match why {
        Unworkable::Refused(why) => {
            why.context(format!("`{kind}` does not confirm these settings"))
        }
        Unworkable::Unavailable(why) => why.context(format!("`{kind}` could not be asked")),
        Unworkable::Credential(wrong) => anyhow!("--credential: {wrong}"),
        other => other.into(),
    }
}

/// The integration is connected already: if the message cannot be posted, the sweep sends it.
async fn post_onboarding(store: &Store, queue: &dyn Queue, connected: &Connected) {
    let run = connected.requested.run;
    let message = Message::Process { run, stream: None };
    let messages = vec![(connected.integration.tenant_id, message)];
    if let Err(error) = post_about_runs(store, queue, messages).await {
        eprintln!("warning: the job-generator will send the message of run {run}: {error:#}");
    }
}

fn answer(connected: Connected, json: bool) -> io::Result<()> {
    let Connected { integration, run, .. } = connected;
    if json {
        let integration = IntegrationView::from(integration);
        return stdout::json(&json!({ "integration": integration, "run": RunView::from(run) }));
    }
    stdout::line(format!("integration  {}", integration.id))?;
    stdout::line(format!("onboarding   {}", run.id))?;
    stdout::line(format!("`millrace run {} --follow` shows its progress", run.id))
}
