//! `millrace credentials`: what lets tenants' integrations in, and the master keys it is sealed by.
//!
//! A secret comes from a file or from stdin, never from the command line, where everybody on the
//! machine could read it; and it is never shown.

use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::config::{DatabaseArgs, KeyringArgs, Mistakes, PlatformArgs, PlatformConfig};
use shared::domain::{
    Credential, CredentialId, CredentialState, CredentialType, KnownCredential, TenantId,
};
use shared::integrations::registry;
use shared::keyring::MasterKey;
use shared::store::{Removed, Store};
use shared::vault::{Brought, Vault};

use crate::moment::{moment, moment_or_dash};
use crate::secret_file::SecretArgs;
use crate::tenants::Names;
use crate::{connections, lists, stdout, tenants};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Ask the platform whose it is, and store it sealed
    Add {
        /// The platform: slack, …
        platform: String,
        /// Whose it is, by id or name
        #[arg(long)]
        tenant: String,
        #[command(flatten)]
        secret: SecretArgs,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        vault: VaultArgs,
    },
    /// All of them, without their secrets
    List {
        /// Only those of one tenant, by id or name
        #[arg(long)]
        tenant: Option<String>,
        /// Only those for one platform
        #[arg(long)]
        platform: Option<String>,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Put another in its place; what had to be reconnected because of it is fetched again
    Replace {
        /// Of the credential
        id: CredentialId,
        #[command(flatten)]
        secret: SecretArgs,
        #[command(flatten)]
        vault: VaultArgs,
    },
    /// Forget one that no integration uses
    Remove {
        /// Of the credential
        id: CredentialId,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Seal all of them again under the first master key; runs may go on
    Rotate {
        #[command(flatten)]
        vault: VaultArgs,
    },
    /// Make a master key, as MASTER_KEYS wants it
    NewKey {
        /// What it is called; the day and a few random letters when left out
        #[arg(long)]
        id: Option<String>,
    },
}

#[derive(clap::Args)]
pub(crate) struct VaultArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    keyring: KeyringArgs,
    #[command(flatten)]
    platforms: PlatformArgs,
}

pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Add { platform, tenant, secret, json, vault } => {
            let credential = secret.read_or_exit();
            let (store, vault) = vault.open().await?;
            let tenant = tenants::find(&store, &tenant).await?.id;
            add(&vault, tenant, Brought { platform, credential }, json).await?;
        }
        Command::List { tenant, platform, json, database } => {
            let store = connections::store(&database).await?;
            list(&store, tenant.as_deref(), platform.as_deref(), json).await?;
        }
        Command::Replace { id, secret, vault } => {
            let credential = secret.read_or_exit();
            let (store, vault) = vault.open().await?;
            replace(&store, &vault, id, credential).await?;
        }
        Command::Remove { id, database } => {
            remove(&connections::store(&database).await?, id).await?;
        }
        Command::Rotate { vault } => {
            let (_, vault) = vault.open().await?;
            return rotate(&vault).await;
        }
        Command::NewKey { id } => new_key(id.as_deref())?,
    }
    Ok(ExitCode::SUCCESS)
}

impl VaultArgs {
    async fn open(&self) -> anyhow::Result<(Store, Vault)> {
        let mut mistakes = Mistakes::default();
        let database = self.database.check(&mut mistakes);
        let keyring = self.keyring.check(&mut mistakes);
        let platforms = self.platforms.check(&mut mistakes);
        let checked = mistakes.or_exit(database.zip(keyring).zip(platforms));
        let ((database, keyring), platforms) = checked;
        let store = connections::open_store(&database).await?;
        let vault = Vault::new(&store, &registry(&platforms)?, keyring);
        Ok((store, vault))
    }
}

async fn add(vault: &Vault, tenant: TenantId, brought: Brought, json: bool) -> anyhow::Result<()> {
    let added = vault.add(tenant, brought, None).await.context("it is not stored")?;
    if json {
        return Ok(stdout::json(&CredentialView::from(added))?);
    }
    stdout::line(format!("credential    {}", added.id))?;
    Ok(stdout::line(format!("organization  {}", organization(&added)))?)
}

async fn list(
    store: &Store,
    tenant: Option<&str>,
    platform: Option<&str>,
    json: bool,
) -> anyhow::Result<()> {
    let tenant = tenants::find_if_named(store, tenant).await?;
    let credentials = all(store, tenant, platform).await?;
    if json {
        let views: Vec<_> = credentials.into_iter().map(CredentialView::from).collect();
        return Ok(stdout::json(&views)?);
    }
    let now = store.now().await?;
    let tenants = Names::of_all(store).await?;
    let header =
        ["CREDENTIAL", "TENANT", "PLATFORM", "TYPE", "STATE", "ORGANIZATION", "RENEWED", "ADDED"];
    let rows = credentials.iter().map(|known| {
        [
            known.id.to_string(),
            tenants.of(known.tenant_id),
            known.platform.clone(),
            known.kind.as_str().to_owned(),
            state_in_words(known),
            organization(known),
            moment_or_dash(known.renewed_at, now),
            moment(known.created_at, now),
        ]
    });
    Ok(stdout::table(header, rows)?)
}

/// Exits with 2 if there is no such platform.
async fn all(
    store: &Store,
    tenant: Option<TenantId>,
    platform: Option<&str>,
) -> anyhow::Result<Vec<KnownCredential>> {
    let page = async |after| store.credentials(tenant, platform, after, lists::PAGE).await;
    let all = lists::all(page, |known| known.id).await?;
    // One that another version knows is shown, as long as there is one.
    if let (true, Some(platform)) = (all.is_empty(), platform) {
        let known = registry(&PlatformConfig::default())?.check_platform(platform);
        Mistakes::check_or_exit(|mistakes| {
            known.map_err(|unknown| mistakes.note("--platform", unknown)).ok()
        });
    }
    Ok(all)
}

async fn replace(
    store: &Store,
    vault: &Vault,
    id: CredentialId,
    credential: Credential,
) -> anyhow::Result<()> {
    let known = store.credential(id).await?.with_context(|| unknown(id))?;
    let replaced = vault.replace(&known, credential).await.context("nothing was changed")?;
    let replaced = replaced.with_context(|| unknown(id))?;
    Ok(stdout::line(format!("credential {id} is {}", replaced.state.as_str()))?)
}

async fn remove(store: &Store, id: CredentialId) -> anyhow::Result<()> {
    match store.remove_credential(id).await? {
        Removed::Yes => Ok(stdout::line(format!("credential {id} is removed"))?),
        Removed::InUse(user) => bail!("integration {user} uses credential {id}"),
        Removed::Unknown => bail!(unknown(id)),
    }
}

/// Fails if anything is left under another key: that key must be kept.
async fn rotate(vault: &Vault) -> anyhow::Result<ExitCode> {
    let rotated = vault.rotate().await?;
    stdout::line(format!("{} sealed again", rotated.resealed))?;
    for (id, why) in &rotated.left {
        eprintln!("error: credential {id} is left as it was: {why}");
    }
    Ok(ExitCode::from(u8::from(!rotated.left.is_empty())))
}

fn new_key(id: Option<&str>) -> anyhow::Result<()> {
    let key = MasterKey::new(&id.map_or_else(dated_id, str::to_owned));
    let key = Mistakes::check_or_exit(|mistakes| {
        key.map_err(|invalid| mistakes.note("--id", invalid)).ok()
    });
    stdout::line(&*key.reveal())?;
    eprintln!("Keep it well: without it, what it seals is lost.");
    Ok(())
}

/// Tells keys apart, and which is older.
pub(crate) fn dated_id() -> String {
    let random: u16 = rand::random();
    format!("k{}-{random:04x}", Utc::now().format("%Y%m%d"))
}

fn unknown(id: CredentialId) -> String {
    format!("there is no credential {id}; `millrace credentials list` shows all")
}

fn organization(known: &KnownCredential) -> String {
    match (&*known.organization_name, &*known.organization_id) {
        ("", "") => "-".to_owned(),
        ("", id) => id.to_owned(),
        (name, "") => name.to_owned(),
        (name, id) => format!("{name} ({id})"),
    }
}

fn state_in_words(known: &KnownCredential) -> String {
    let state = known.state.as_str();
    match &known.state_reason {
        None => state.to_owned(),
        Some(reason) => format!("{state}: {}", stdout::excerpt(reason, 60)),
    }
}

#[derive(Serialize)]
struct CredentialView {
    id: CredentialId,
    tenant_id: TenantId,
    platform: String,
    r#type: CredentialType,
    state: CredentialState,
    state_reason: Option<String>,
    organization_id: String,
    organization_name: String,
    expires_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    renewed_at: Option<DateTime<Utc>>,
}

impl From<KnownCredential> for CredentialView {
    fn from(known: KnownCredential) -> Self {
        Self {
            id: known.id,
            tenant_id: known.tenant_id,
            platform: known.platform,
            r#type: known.kind,
            state: known.state,
            state_reason: known.state_reason,
            organization_id: known.organization_id,
            organization_name: known.organization_name,
            expires_at: known.expires_at,
            created_at: known.created_at,
            updated_at: known.updated_at,
            renewed_at: known.renewed_at,
        }
    }
}
