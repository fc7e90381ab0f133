//! `millrace discover`: what could be synced, as a worker finds it out.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use shared::config::{DatabaseArgs, Mistakes, PlatformArgs, QueueArgs};
use shared::domain::{CredentialId, Discovery, DiscoveryId, DiscoveryState, ExternalSyncUnit};
use shared::integrations::registry;
use shared::outbox::send_discovery_now;
use shared::queue::{self, Queue};
use shared::sdk::DynIntegration;
use shared::store::{DueDiscovery, NewDiscovery, Store};
use shared::verify::{Wish, check};

use crate::connections::open_store;
use crate::moment::relative;
use crate::settings::{SettingsArgs, find};
use crate::{stdout, tenants};

/// Between two looks at whether a worker has answered.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The platform: devto, …
    kind: String,
    /// Who wants to know, by id or name
    #[arg(long)]
    tenant: String,
    #[command(flatten)]
    settings: SettingsArgs,
    /// What lets us in, of those that `millrace credentials list` shows
    #[arg(long, value_name = "ID")]
    credential: Option<CredentialId>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    queue: QueueArgs,
    #[command(flatten)]
    platforms: PlatformArgs,
}

/// Exits with 1 if there is no list.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut mistakes = Mistakes::default();
    let database = args.database.check(&mut mistakes);
    let queue = args.queue.check(&mut mistakes);
    let wanted = args.wanted(&mut mistakes)?;
    let checked = database.zip(queue).zip(wanted);
    let ((database, queue), (integration, settings)) = mistakes.or_exit(checked);

    let store = open_store(&database).await?;
    let queue = queue::connect(&queue, &store).await?;
    let tenant_id = tenants::find(&store, &args.tenant).await?.id;
    let Args { kind, credential, .. } = args;
    let (integration, settings) = (&*integration, &settings);
    check(&store, Wish { tenant: tenant_id, integration, settings, units: &[], credential })
        .await?;
    let new = NewDiscovery { tenant_id, kind, settings: settings.clone(), credential };
    let asked = ask(&store, &*queue, &new).await?;
    let answered = until_answered(&store, asked).await?;
    answer(&answered, args.json)
}

impl Args {
    /// The integration, and settings that are its settings.
    fn wanted(
        &self,
        mistakes: &mut Mistakes,
    ) -> anyhow::Result<Option<(Arc<dyn DynIntegration>, Value)>> {
        let settings = self.settings.read(mistakes);
        let platforms = self.platforms.check(mistakes);
        let registry = platforms.map(|platforms| registry(&platforms)).transpose()?;
        let known =
            registry.and_then(|registry| find(&registry, &self.kind, settings.as_ref(), mistakes));
        Ok(known.zip(settings))
    }
}

async fn ask(store: &Store, queue: &dyn Queue, new: &NewDiscovery) -> anyhow::Result<DiscoveryId> {
    let discovery = store.ask_discovery(new, None).await?.id;
    let due = DueDiscovery { discovery, tenant: new.tenant_id };
    send_discovery_now(store, queue, due).await;
    Ok(discovery)
}

/// Says once what it waits for.
async fn until_answered(store: &Store, id: DiscoveryId) -> anyhow::Result<Discovery> {
    let mut told = None;
    loop {
        let Some(discovery) = store.discovery(id).await? else {
            anyhow::bail!("discovery {id} was deleted");
        };
        if discovery.state.is_finished() {
            return Ok(discovery);
        }
        let waits_for = waits_for(&discovery, store).await?;
        if told.as_ref() != Some(&waits_for) {
            eprintln!("{waits_for}");
            told = Some(waits_for);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn waits_for(discovery: &Discovery, store: &Store) -> anyhow::Result<String> {
    let now = store.now().await?;
    Ok(match (discovery.state, &discovery.error) {
        (DiscoveryState::Processing, _) => format!("asking {} …", discovery.kind),
        (_, Some(error)) => format!("tried again {}: {error}", relative(discovery.due_at, now)),
        _ if discovery.due_at > now => {
            format!("{} wants to be asked {}", discovery.kind, relative(discovery.due_at, now))
        }
        _ => "waiting for a worker …".to_owned(),
    })
}

fn answer(discovery: &Discovery, json: bool) -> anyhow::Result<ExitCode> {
    match (&discovery.units, &discovery.error) {
        (Some(units), _) if json => stdout::json(&units)?,
        (Some(units), _) => show(units)?,
        (None, error) => anyhow::bail!(error.clone().unwrap_or_default()),
    }
    Ok(ExitCode::SUCCESS)
}

fn show(units: &[ExternalSyncUnit]) -> io::Result<()> {
    let rows = units.iter().map(|unit| {
        let items = unit.item_count.map_or_else(|| "?".to_owned(), |count| count.to_string());
        let description = stdout::excerpt(unit.description.as_deref().unwrap_or_default(), 60);
        [unit.id.clone(), unit.name.clone(), items, description]
    });
    stdout::table(["UNIT", "NAME", "ITEMS", "DESCRIPTION"], rows)
}
