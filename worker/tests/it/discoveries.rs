//! What could be synced: found out by a worker, or said why not.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::domain::{Discovery, DiscoveryId, DiscoveryState};
use shared::queue::Queue;
use shared::sdk::{
    CheckSchedule, Connection, ExternalSyncUnit, Integration, Registry, Result, Run, StreamOutput,
    SyncError,
};
use shared::store::NewDiscovery;
use sqlx::PgPool;
use tokio::sync::watch;
use worker::{Shutdown, dispatch};

use crate::stage::Stage;

/// A platform with places. It answers what it was told to, one after the other, and then hangs.
#[derive(Clone)]
struct Atlas(Arc<Answers>);

struct Answers {
    left: Mutex<VecDeque<Result<Vec<ExternalSyncUnit>>>>,
    hanging: watch::Sender<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "stream")]
enum Stream {}

impl Integration for Atlas {
    const KIND: &'static str = "atlas";
    const CHECKS: CheckSchedule = CheckSchedule::EveryTick;
    type Settings = Settings;
    type State = ();
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        Ok(())
    }

    async fn streams(&self, _: &Run<Self>) -> Result<Vec<Stream>> {
        Ok(Vec::new())
    }

    async fn process_stream(&self, stream: &Stream, _: &Run<Self>) -> Result<StreamOutput<Stream>> {
        match *stream {}
    }

    async fn discover(&self, _: &Connection<Self>) -> Result<Vec<ExternalSyncUnit>> {
        let answer = self.0.left.lock().unwrap().pop_front();
        match answer {
            Some(answer) => answer,
            None => {
                self.0.hanging.send_modify(|hanging| *hanging += 1);
                std::future::pending().await
            }
        }
    }
}

type Listed = Result<Vec<ExternalSyncUnit>>;

async fn stage(pool: PgPool, answers: impl IntoIterator<Item = Listed>) -> (Stage, Atlas) {
    let left = Mutex::new(answers.into_iter().collect());
    let atlas = Atlas(Arc::new(Answers { left, hanging: watch::Sender::new(0) }));
    let stage = Stage::set(pool, Registry::default().with(atlas.clone())).await;
    (stage, atlas)
}

impl Stage {
    async fn ask(&self) -> DiscoveryId {
        let (tenant_id, kind) = (self.tenant, "atlas".to_owned());
        let new = NewDiscovery { tenant_id, kind, settings: json!({}), credential: None };
        let discovery = self.store.ask_discovery(&new, None).await.unwrap().id;
        self.tell(discovery).await;
        discovery
    }

    async fn tell(&self, discovery: DiscoveryId) {
        self.post(&json!({"type": "integration_discover", "discoveryId": discovery})).await;
    }

    async fn discovery(&self, id: DiscoveryId) -> Discovery {
        self.store.discovery(id).await.unwrap().unwrap()
    }

    /// Turns the clock to when the discovery goes on, and lets it.
    async fn wait_for(&self, id: DiscoveryId) -> Discovery {
        self.clock.turn_to(self.discovery(id).await.due_at);
        self.tell(id).await;
        self.deliver().await;
        self.discovery(id).await
    }
}

fn units() -> Vec<ExternalSyncUnit> {
    let unit = |id: &str, item_count| ExternalSyncUnit {
        id: id.into(),
        name: id.to_uppercase(),
        description: Some("a place".into()),
        item_count,
    };
    vec![unit("north", Some(7)), unit("south", None)]
}

fn broken() -> SyncError {
    SyncError::Other(anyhow!("GET /places: answered 503"))
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_a_connection_can_see_is_listed_once(pool: PgPool) {
    let (stage, _) = stage(pool, [Ok(units())]).await;
    let asked = stage.ask().await;
    assert_eq!(stage.discovery(asked).await.state, DiscoveryState::Pending);

    stage.deliver().await;
    // Once more, as any message may come: there is no second answer to be had.
    stage.tell(asked).await;
    stage.deliver().await;

    let discovery = stage.discovery(asked).await;
    assert_eq!(discovery.state, DiscoveryState::Done);
    assert_eq!(discovery.units, Some(units()));
    assert_eq!(discovery.processed_at, Some(stage.clock.now()));
    assert_eq!(stage.store.due_discoveries(10).await.unwrap(), []);
    assert_eq!(stage.queue.dead_letters(10).await.unwrap(), []);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_rate_limited_discovery_waits_and_costs_no_attempt(pool: PgPool) {
    let limited = || Err(SyncError::RateLimited { retry_after: Duration::from_secs(90) });
    let answers = (0..7).map(|_| limited()).chain([Ok(units())]);
    let (stage, _) = stage(pool, answers).await;
    let start = stage.clock.now();
    let asked = stage.ask().await;

    stage.deliver().await;
    let waiting = stage.discovery(asked).await;
    assert_eq!((waiting.state, waiting.error), (DiscoveryState::Pending, None));
    assert_eq!((waiting.due_at - start).num_seconds(), 90);
    // Told too early, it still waits.
    stage.tell(asked).await;
    stage.deliver().await;
    assert_eq!(stage.discovery(asked).await.due_at, waiting.due_at);
    for _ in 0..6 {
        assert_eq!(stage.wait_for(asked).await.state, DiscoveryState::Pending);
    }
    assert_eq!(stage.wait_for(asked).await.state, DiscoveryState::Done);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn refused_credentials_and_unknown_places_are_told_at_once(pool: PgPool) {
    let refused = Err(SyncError::Unauthorized(anyhow!("GET /places: answered 401")));
    let unknown = Err(SyncError::Permanent(anyhow!("there is no such atlas")));
    let (stage, _) = stage(pool, [refused, unknown]).await;

    let reasons = [
        "the platform rejected our credentials: GET /places: answered 401",
        "there is no such atlas",
    ];
    for reason in reasons {
        let asked = stage.ask().await;
        stage.deliver().await;
        let discovery = stage.discovery(asked).await;
        assert_eq!(discovery.state, DiscoveryState::Error);
        assert_eq!(discovery.error.as_deref(), Some(reason));
        assert_eq!(discovery.units, None);
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_platform_that_fails_is_asked_five_times(pool: PgPool) {
    let (stage, _) = stage(pool, (0..5).map(|_| Err(broken()))).await;
    let asked = stage.ask().await;
    stage.deliver().await;
    for _ in 1..4 {
        let waiting = stage.wait_for(asked).await;
        assert_eq!(waiting.state, DiscoveryState::Pending);
        assert_eq!(waiting.error.as_deref(), Some("GET /places: answered 503"));
    }
    let given_up = stage.wait_for(asked).await;
    assert_eq!(given_up.state, DiscoveryState::Error);
    assert_eq!(given_up.error.as_deref(), Some("GET /places: answered 503"));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_discovery_whose_worker_died_is_taken_over_and_the_stale_one_writes_nothing(
    pool: PgPool,
) {
    let (stage, _) = stage(pool, [Ok(units())]).await;
    let asked = stage.ask().await;
    let lease = Duration::from_secs(30);
    let stale = stage.store.claim_discovery(asked, lease).await.unwrap().unwrap();
    // The message finds it held, and the sweep sends another when the lease has ended.
    stage.deliver().await;
    assert_eq!(stage.discovery(asked).await.state, DiscoveryState::Processing);
    assert_eq!(stage.store.due_discoveries(10).await.unwrap(), []);

    stage.clock.advance(lease);
    assert_eq!(stage.store.due_discoveries(10).await.unwrap().len(), 1);
    stage.tell(asked).await;
    stage.deliver().await;
    assert!(stage.store.fail_discovery(stale.lease, "late", 0).await.is_err());
    assert!(stage.store.keep_discovery(stale.lease, lease).await.is_err());

    assert_eq!(stage.discovery(asked).await.units, Some(units()));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_discovery_that_kills_five_workers_is_given_up(pool: PgPool) {
    let (stage, _) = stage(pool, []).await;
    let asked = stage.ask().await;
    let lease = Duration::from_secs(30);
    for _ in 0..5 {
        stage.store.claim_discovery(asked, lease).await.unwrap().unwrap();
        stage.clock.advance(lease);
    }
    stage.deliver().await;
    let given_up = stage.discovery(asked).await;
    assert_eq!(given_up.state, DiscoveryState::Error);
    assert_eq!(given_up.error.as_deref(), Some("its worker died or failed 5 times"));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_worker_that_is_told_to_stop_hands_the_discovery_back(pool: PgPool) {
    let (stage, atlas) = stage(pool, []).await;
    let asked = stage.ask().await;
    let message = stage.receive().await.unwrap();
    let (worker, shutdown) = (Arc::clone(&stage.worker), Shutdown::default());
    let stop = shutdown.clone();
    let work = tokio::spawn(async move { dispatch(&worker, message, &shutdown).await });
    atlas.0.hanging.subscribe().wait_for(|hanging| *hanging == 1).await.unwrap();

    stop.soft.cancel();
    work.await.unwrap();

    assert_eq!(stage.discovery(asked).await.state, DiscoveryState::Pending);
    atlas.0.left.lock().unwrap().push_back(Ok(units()));
    stage.deliver().await;
    assert_eq!(stage.discovery(asked).await.state, DiscoveryState::Done);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_message_about_an_unknown_discovery_becomes_a_dead_letter(pool: PgPool) {
    let (stage, _) = stage(pool, []).await;
    let unknown = DiscoveryId::new();
    stage.tell(unknown).await;
    stage.deliver().await;
    let letters = stage.queue.dead_letters(10).await.unwrap();
    assert_eq!(letters[0].reason.as_deref(), Some(&*format!("there is no discovery {unknown}")));
}
