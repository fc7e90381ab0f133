//! `millrace connect`: an integration, as the HTTP API would make it: settings that decode, that the
//! platform confirms, and an onboarding that begins at once.

use std::io::{self, Read};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use serde_json::{Value, json};
use shared::config::{
    DatabaseArgs, DatabaseConfig, KeyringArgs, Mistakes, PlatformArgs, QueueArgs, QueueConfig,
};
use shared::domain::{CredentialId, RequestedBy, TenantId, Tick};
use shared::integrations::registry;
use shared::keyring::Keyring;
use shared::message::Message;
use shared::queue::{self, Queue};
use shared::sdk::{DynIntegration, Registry};
use shared::store::{Connected, NewIntegration, Store};
use shared::vault::Vault;
use shared::verify::{Unworkable, Wish, verify};
use uuid::Uuid;

use crate::connections::open_store;
use crate::integrations::IntegrationView;
use crate::post::post_about_runs;
use crate::runs::RunView;
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

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SettingsArgs {
    /// What the platform needs to know, as a JSON object
    #[arg(long = "settings", value_name = "JSON")]
    inline: Option<String>,
    /// The same from a file; `-` is stdin
    #[arg(long = "settings-file", value_name = "FILE")]
    file: Option<String>,
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

impl SettingsArgs {
    pub(crate) fn read(&self, mistakes: &mut Mistakes) -> Option<Value> {
        let (argument, text) = match (&self.inline, &self.file) {
            (Some(json), _) => ("--settings", Ok(json.clone())),
            (None, Some(file)) => ("--settings-file", read_file(file)),
            // Clap asks for one of the two.
            (None, None) => return None,
        };
        let text = text.map_err(|error| mistakes.note(argument, error)).ok()?;
        let json = serde_json::from_str(&text);
        json.map_err(|error| mistakes.note(argument, format!("is not JSON: {error}"))).ok()
    }
}

fn read_file(name: &str) -> io::Result<String> {
    if name != "-" {
        return std::fs::read_to_string(name);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map(|_| text)
}

/// The integration of this kind; the settings must be its settings.
pub(crate) fn find(
    registry: &Registry,
    kind: &str,
    settings: Option<&Value>,
    mistakes: &mut Mistakes,
) -> Option<Arc<dyn DynIntegration>> {
    let integration = registry.find(kind).map_err(|unknown| mistakes.note("<KIND>", unknown));
    let integration = integration.ok()?;
    if let Some(Err(invalid)) = settings.map(|settings| integration.check_settings(settings)) {
        mistakes.note("--settings", invalid);
    }
    Some(Arc::clone(integration))
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
    verify(store, vault, wish).await.map_err(|why| refusal(kind, why))?;
    let now = store.now().await?;
    // Any number spreads integrations that were connected together.
    let phase = Uuid::new_v4().as_u128();
    let new = NewIntegration {
        tenant_id,
        kind: kind.to_owned(),
        settings,
        units,
        credential_id: credential,
        first_check: integration.checks().first_check(Tick::at(now, tick), phase),
        member_attributes: integration.member_attributes(),
    };
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

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use serde::{Deserialize, Serialize};
    use shared::clock::Clock;
    use shared::domain::{CheckSchedule, IntegrationStatus, RunMode};
    use shared::queue::memory::MemoryQueue;
    use shared::sdk::{Connection, Integration, Result, Run, StreamOutput, SyncError};
    use shared::store::DueMessage;
    use sqlx::PgPool;

    use super::*;

    /// A platform that knows everybody but one.
    struct Guestbook;

    #[derive(Deserialize)]
    struct Settings {
        user: String,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "stream")]
    enum Stream {}

    impl Integration for Guestbook {
        const KIND: &'static str = "guestbook";
        const CHECKS: CheckSchedule = CheckSchedule::EveryTick;
        type Settings = Settings;
        type State = ();
        type Prepared = ();
        type Stream = Stream;

        async fn verify(&self, connection: &Connection<Self>) -> Result<()> {
            match connection.settings.user.as_str() {
                "nobody" => Err(SyncError::Unauthorized(anyhow!("404 Not Found"))),
                _ => Ok(()),
            }
        }

        async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
            Ok(())
        }

        async fn streams(&self, _: &Run<Self>) -> Result<Vec<Stream>> {
            Ok(Vec::new())
        }

        async fn process_stream(
            &self,
            stream: &Stream,
            _: &Run<Self>,
        ) -> Result<StreamOutput<Stream>> {
            match *stream {}
        }
    }

    fn vault(store: &Store) -> Vault {
        Vault::new(store, &Registry::default().with(Guestbook), Keyring::default())
    }

    const MINUTE: Duration = Duration::from_secs(60);

    fn checked(kind: &str, settings: Value) -> Result<Checked, String> {
        let mut mistakes = Mistakes::default();
        let registry = Registry::default().with(Guestbook);
        let units = vec!["entrance".into()];
        let integration = find(&registry, kind, Some(&settings), &mut mistakes);
        match integration.filter(|_| mistakes.all().is_empty()) {
            Some(integration) => {
                Ok(Checked { integration, settings, units, credential: None, tick: MINUTE })
            }
            None => Err(mistakes.all().join("; ")),
        }
    }

    #[test]
    fn a_kind_that_is_not_there_and_settings_that_do_not_fit_are_mistakes() {
        let unknown = checked("coffee", json!({})).err().unwrap();
        assert_eq!(unknown, "<KIND>: unknown integration `coffee` (registered: guestbook)");
        let unfit = checked("guestbook", json!({ "user": 7 })).err().unwrap();
        assert!(unfit.starts_with("--settings: settings of `guestbook`: `user`: "), "{unfit}");
    }

    #[sqlx::test(migrator = "shared::store::MIGRATIONS")]
    async fn what_the_platform_confirms_is_connected_with_an_onboarding(pool: PgPool) {
        let clock = Clock::standing_at("2026-11-20T18:57:00Z".parse().unwrap());
        let store = Store::new(pool, clock.clone());
        let tenant = store.add_tenant("acme", "a token").await.unwrap();
        let settings = json!({ "user": "ada" });
        let checked = checked("guestbook", settings.clone()).ok().unwrap();

        let connected = connect(&store, &vault(&store), tenant.id, checked).await.unwrap();

        let Connected { integration, run, .. } = connected;
        assert_eq!((integration.tenant_id, integration.settings), (tenant.id, settings));
        assert_eq!(integration.units, ["entrance"]);
        assert_eq!(integration.status, IntegrationStatus::Active);
        let next_tick = Tick::at(clock.now(), MINUTE).0 + 1;
        assert_eq!(integration.next_check_tick, Some(next_tick));
        assert_eq!((run.mode, run.requested_by.as_str()), (RunMode::Onboarding, "cli"));
    }

    #[sqlx::test(migrator = "shared::store::MIGRATIONS")]
    async fn the_onboarding_is_posted_at_once_or_left_to_the_sweep(pool: PgPool) {
        let store = Store::new(pool, Clock::System);
        let tenant = store.add_tenant("acme", "a token").await.unwrap();
        let connected = async || {
            let checked = checked("guestbook", json!({ "user": "ada" })).ok().unwrap();
            connect(&store, &vault(&store), tenant.id, checked).await.unwrap()
        };
        let queue = MemoryQueue::new(Clock::System);

        let posted = connected().await;
        post_onboarding(&store, &queue, &posted).await;
        queue.go_away();
        let left = connected().await;
        post_onboarding(&store, &queue, &left).await;

        let message = Message::Process { run: posted.requested.run, stream: None };
        assert_eq!(queue.bodies(), [message.encode()]);
        let due = store.due_messages(10).await.unwrap();
        assert_eq!(due, [DueMessage { run: left.requested.run, tenant: tenant.id }]);
    }

    #[sqlx::test(migrator = "shared::store::MIGRATIONS")]
    async fn what_the_platform_does_not_confirm_is_not_connected(pool: PgPool) {
        let store = Store::new(pool, Clock::System);
        let tenant = store.add_tenant("acme", "a token").await.unwrap();
        let checked = checked("guestbook", json!({ "user": "nobody" })).ok().unwrap();

        let refused = connect(&store, &vault(&store), tenant.id, checked).await.unwrap_err();

        let refused = format!("{refused:#}");
        assert_eq!(refused, "`guestbook` does not confirm these settings: 404 Not Found");
        assert!(store.integrations(None, None, None, 1).await.unwrap().is_empty());
    }
}
