//! Against a platform that knows everybody but one.

use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use shared::clock::Clock;
use shared::domain::{CheckSchedule, IntegrationStatus, RunMode, Tick};
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

    async fn process_stream(&self, stream: &Stream, _: &Run<Self>) -> Result<StreamOutput<Stream>> {
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
