//! `millrace integrations`: what tenants have connected; pausing, resuming and deleting it.

use std::process::ExitCode;

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use shared::config::{DatabaseArgs, Mistakes, PlatformConfig};
use shared::domain::{CredentialId, Integration, IntegrationId, IntegrationStatus, TenantId};
use shared::integrations::registry;
use shared::store::Store;

use crate::moment::{moment, moment_or_dash};
use crate::tenants::Names;
use crate::{connections, lists, stdout, tenants};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    change: Option<Change>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(clap::Args)]
struct ListArgs {
    /// Only those of one tenant, by id or name
    #[arg(long)]
    tenant: Option<String>,
    /// Only those of one platform
    #[arg(long)]
    kind: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(clap::Subcommand)]
enum Change {
    /// Fetch nothing until it is resumed; a live run is handed back, and waits
    Pause(ChangeArgs),
    /// Fetch again; a run that waited goes on
    Resume(ChangeArgs),
    /// Forget it with its runs and streams; members and activities stay
    Delete(ChangeArgs),
}

#[derive(clap::Args)]
struct ChangeArgs {
    /// Of the integration
    id: IntegrationId,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.change {
        None => list(args.list).await?,
        Some(change) => apply(change).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn apply(change: Change) -> anyhow::Result<()> {
    let (Change::Pause(args) | Change::Resume(args) | Change::Delete(args)) = &change;
    let store = connections::store(&args.database).await?;
    let id = args.id;
    let (changed, now_it_is) = match change {
        Change::Pause(_) => (store.pause_integration(id).await?.is_some(), "paused"),
        Change::Resume(_) => (store.resume_integration(id).await?.is_some(), "active"),
        Change::Delete(_) => (store.delete_integration(id).await?, "deleted"),
    };
    changed.then_some(()).with_context(|| format!("there is no integration {id}"))?;
    Ok(stdout::line(format!("integration {id} is {now_it_is}"))?)
}

async fn list(args: ListArgs) -> anyhow::Result<()> {
    let store = connections::store(&args.database).await?;
    let tenant = tenants::find_if_named(&store, args.tenant.as_deref()).await?;
    let integrations = all(&store, tenant, args.kind.as_deref()).await?;
    if args.json {
        let views: Vec<_> = integrations.into_iter().map(IntegrationView::from).collect();
        return Ok(stdout::json(&views)?);
    }
    let now = store.now().await?;
    let tenants = Names::of_all(&store).await?;
    let header = ["INTEGRATION", "TENANT", "KIND", "STATUS", "CONNECTED", "ONBOARDED"];
    let rows = integrations.iter().map(|integration| {
        [
            integration.id.to_string(),
            tenants.of(integration.tenant_id),
            integration.kind.clone(),
            status_in_words(integration),
            moment(integration.created_at, now),
            moment_or_dash(integration.onboarded_at, now),
        ]
    });
    Ok(stdout::table(header, rows)?)
}

/// Every integration of a tenant or all, of a kind or all. Exits with 2 if there is no such kind.
pub(crate) async fn all(
    store: &Store,
    tenant: Option<TenantId>,
    kind: Option<&str>,
) -> anyhow::Result<Vec<Integration>> {
    let page = async |after| store.integrations(tenant, kind, after, lists::PAGE).await;
    let all = lists::all(page, |integration| integration.id).await?;
    // One that another version knows is shown, as long as there is one.
    if let (true, Some(kind)) = (all.is_empty(), kind) {
        let registry = registry(&PlatformConfig::default())?;
        Mistakes::check_or_exit(|mistakes| {
            registry.find(kind).map_err(|unknown| mistakes.note("--kind", unknown)).ok()
        });
    }
    Ok(all)
}

fn status_in_words(integration: &Integration) -> String {
    match integration.status {
        IntegrationStatus::Active => "active".into(),
        IntegrationStatus::Paused => "paused".into(),
        IntegrationStatus::NeedsReconnect => {
            let reason = integration.status_reason.as_deref().unwrap_or_default();
            format!("needs to be reconnected: {}", stdout::excerpt(reason, 80))
        }
    }
}

#[derive(Serialize)]
pub(crate) struct IntegrationView {
    id: IntegrationId,
    tenant_id: TenantId,
    kind: String,
    settings: Value,
    units: Vec<String>,
    credential_id: Option<CredentialId>,
    status: IntegrationStatus,
    status_reason: Option<String>,
    onboarding_wanted: bool,
    onboarded_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Integration> for IntegrationView {
    fn from(integration: Integration) -> Self {
        Self {
            id: integration.id,
            tenant_id: integration.tenant_id,
            kind: integration.kind,
            settings: integration.settings,
            units: integration.units,
            credential_id: integration.credential_id,
            status: integration.status,
            status_reason: integration.status_reason,
            onboarding_wanted: integration.onboarding_wanted,
            onboarded_at: integration.onboarded_at,
            created_at: integration.created_at,
            updated_at: integration.updated_at,
        }
    }
}
