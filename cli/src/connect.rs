//! `millrace connect`: an integration, as the HTTP API would make it: settings that decode, that the
//! platform confirms, and an onboarding that begins at once.

use std::io::{self, Read};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use shared::config::{
    DatabaseArgs, DatabaseConfig, Mistakes, PlatformArgs, QueueArgs, QueueConfig,
};
use shared::domain::{RequestedBy, RunMode, TenantId, Tick};
use shared::integrations::registry;
use shared::message::Message;
use shared::queue::{self, Queue};
use shared::sdk::{DynIntegration, RawConnection, Registry};
use shared::store::{Connected, NewIntegration, Store};
use tokio::time::timeout;
use uuid::Uuid;

use crate::connections::open_store;
use crate::integrations::IntegrationView;
use crate::post::post_about_runs;
use crate::runs::RunView;
use crate::{stdout, tenants};

/// How long a platform may take to confirm settings.
const PATIENCE: Duration = Duration::from_secs(20);

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
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct SettingsArgs {
    /// What the platform needs to know, as a JSON object
    #[arg(long = "settings", value_name = "JSON")]
    inline: Option<String>,
    /// The same from a file; `-` is stdin
    #[arg(long = "settings-file", value_name = "FILE")]
    file: Option<String>,
}

/// What is to be connected, checked as far as it can be without asking anybody.
struct Checked {
    integration: Arc<dyn DynIntegration>,
    settings: Value,
    units: Vec<String>,
    /// The length of a tick.
    tick: Duration,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (database, queue, checked) = args.check_or_exit()?;
    let store = open_store(&database).await?;
    let queue = queue::connect(&queue, &store).await?;
    let tenant = tenants::find(&store, &args.tenant).await?;
    let connected = connect(&store, tenant.id, checked).await?;
    post_onboarding(&store, &*queue, &connected).await;
    answer(connected, args.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn check_or_exit(&self) -> anyhow::Result<(DatabaseConfig, QueueConfig, Checked)> {
        let mut mistakes = Mistakes::default();
        let database = self.database.check(&mut mistakes);
        let queue = self.queue.check(&mut mistakes);
        let tick = mistakes.read_seconds("--tick-seconds", &self.tick_seconds);
        let settings = self.settings.read(&mut mistakes);
        let platforms = self.platforms.check(&mut mistakes);
        let registry = platforms.map(|platforms| registry(&platforms)).transpose()?;
        let integration = registry
            .and_then(|registry| find(&registry, &self.kind, settings.as_ref(), &mut mistakes));
        let checked = database.zip(queue).zip(tick).zip(integration).zip(settings);
        let ((((database, queue), tick), integration), settings) = mistakes.or_exit(checked);
        let units = self.units.clone();
        Ok((database, queue, Checked { integration, settings, units, tick }))
    }
}

impl SettingsArgs {
    fn read(&self, mistakes: &mut Mistakes) -> Option<Value> {
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
fn find(
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
    tenant_id: TenantId,
    checked: Checked,
) -> anyhow::Result<Connected> {
    let Checked { integration, settings, units, tick } = checked;
    let now = store.now().await?;
    let connection = RawConnection {
        mode: RunMode::Onboarding,
        started_at: now,
        settings: settings.clone(),
        state: None,
        units: units.clone(),
    };
    // Only HTTP in here, so it may be cut off in the middle.
    let verdict = timeout(PATIENCE, integration.verify(connection)).await;
    let kind = integration.kind();
    verdict
        .with_context(|| format!("`{kind}` did not answer within {PATIENCE:?}"))?
        .with_context(|| format!("`{kind}` does not confirm these settings"))?;
    // Any number spreads integrations that were connected together.
    let phase = Uuid::new_v4().as_u128();
    let new = NewIntegration {
        tenant_id,
        kind: kind.to_owned(),
        settings,
        units,
        first_check: integration.checks().first_check(Tick::at(now, tick), phase),
        member_attributes: integration.member_attributes(),
    };
    Ok(store.connect(&new, RequestedBy::Cli).await?)
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
    use shared::domain::{CheckSchedule, IntegrationStatus};
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

    const MINUTE: Duration = Duration::from_secs(60);

    fn checked(kind: &str, settings: Value) -> Result<Checked, String> {
        let mut mistakes = Mistakes::default();
        let registry = Registry::default().with(Guestbook);
        let units = vec!["entrance".into()];
        let integration = find(&registry, kind, Some(&settings), &mut mistakes);
        match integration.filter(|_| mistakes.all().is_empty()) {
            Some(integration) => Ok(Checked { integration, settings, units, tick: MINUTE }),
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

        let connected = connect(&store, tenant.id, checked).await.unwrap();

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
            connect(&store, tenant.id, checked).await.unwrap()
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

        let refused = connect(&store, tenant.id, checked).await.unwrap_err();

        let refused = format!("{refused:#}");
        assert_eq!(
            refused,
            "`guestbook` does not confirm these settings: \
             the platform rejected our credentials: 404 Not Found"
        );
        assert!(store.integrations(None, None, None, 1).await.unwrap().is_empty());
    }
}
