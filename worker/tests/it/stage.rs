//! The stage a story is played on: a database of its own, a queue in memory, a clock that is turned
//! by hand, a generator, a worker, and one tenant.
//!
//! Nothing runs by itself. A story delivers messages, fires ticks, turns the clock, and looks at what
//! is stored. When it is over the stage checks what the story forgot to look at.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::domain::{
    CredentialId, IntegrationId, RequestedBy, Run, RunId, Stream, StreamState, TenantId,
};
use shared::keyring::Keyring;
use shared::ledger::Ledger;
use shared::queue::memory::MemoryQueue;
use shared::queue::{Outgoing, Queue, Received};
use shared::sdk::Registry;
use shared::store::{NewIntegration, RunFilter, Store};
use shared::vault::Vault;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use worker::{Settings, Shutdown, Worker, dispatch};

use crate::toy::{Platform, Toy};

pub(crate) struct Stage {
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) worker: Arc<Worker>,
    pub(crate) tenant: TenantId,
}

impl Stage {
    pub(crate) async fn set(pool: PgPool, registry: Registry) -> Self {
        let start: DateTime<Utc> = "2024-05-01T12:00:00Z".parse().unwrap();
        let clock = Clock::standing_at(start);
        let store = Store::new(pool, clock.clone());
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        let tenant = store.add_tenant("acme", "a token").await.unwrap().id;
        let worker = worker(&store, &queue, registry, "first");
        Self { clock, store, queue, worker, tenant }
    }

    /// With a toy that reads this platform, connected: its onboarding is made, and due.
    pub(crate) async fn with_toy(
        pool: PgPool,
        platform: &Platform,
    ) -> (Self, IntegrationId, RunId) {
        let stage = Self::set(pool, Registry::default().with(Toy(platform.clone()))).await;
        let (integration, run) = stage.connect("toy").await;
        (stage, integration, run)
    }

    /// A second worker beside the first.
    pub(crate) fn another_worker(&self) -> Arc<Worker> {
        worker(&self.store, &self.queue, self.worker.registry.clone(), "second")
    }

    /// The first worker, set otherwise.
    pub(crate) fn worker_set_to(&self, settings: Settings) -> Arc<Worker> {
        let Worker { store, queue, registry, vault, ledger, .. } = &*self.worker;
        let (store, queue, registry) = (store.clone(), Arc::clone(queue), registry.clone());
        let (vault, ledger) = (vault.clone(), ledger.clone());
        Arc::new(Worker { store, queue, registry, vault, ledger, settings })
    }

    /// Connects an integration; its onboarding is made, and its message is due.
    pub(crate) async fn connect(&self, kind: &str) -> (IntegrationId, RunId) {
        self.connect_by(kind, None).await
    }

    pub(crate) async fn connect_by(
        &self,
        kind: &str,
        credential_id: Option<CredentialId>,
    ) -> (IntegrationId, RunId) {
        let new = NewIntegration {
            tenant_id: self.tenant,
            kind: kind.to_owned(),
            settings: json!({}),
            units: Vec::new(),
            first_check: None,
            credential_id,
            member_attributes: Vec::new(),
        };
        let connected = self.store.connect(&new, RequestedBy::Connect).await.unwrap();
        (connected.integration.id, connected.requested.run)
    }

    /// Sends what is due, as the sweep does; how many.
    pub(crate) async fn sweep(&self) -> usize {
        let due = self.store.due_messages(1_000).await.unwrap();
        for due in &due {
            self.post(&json!({"type": "integration_process", "runId": due.run})).await;
        }
        let runs: Vec<RunId> = due.iter().map(|due| due.run).collect();
        self.store.messages_sent(&runs, None).await.unwrap();
        due.len()
    }

    /// Posts a message by hand.
    pub(crate) async fn post(&self, body: &Value) {
        self.post_text(&body.to_string()).await;
    }

    pub(crate) async fn post_text(&self, body: &str) {
        let message = Outgoing {
            body: body.to_owned(),
            group: self.tenant.to_string(),
            delay: Duration::ZERO,
            trace: None,
        };
        self.queue.send(&[message]).await.unwrap();
    }

    /// Delivers every message that is visible, one after the other, those that come of it included.
    pub(crate) async fn deliver(&self) {
        while let Some(message) = self.receive().await {
            dispatch(&self.worker, message, &Shutdown::default()).await;
        }
    }

    /// Starts work on the next message in the background.
    pub(crate) async fn start(&self, shutdown: &Shutdown) -> JoinHandle<()> {
        self.start_by(&self.worker, shutdown).await
    }

    pub(crate) async fn start_by(
        &self,
        worker: &Arc<Worker>,
        shutdown: &Shutdown,
    ) -> JoinHandle<()> {
        let (worker, shutdown) = (Arc::clone(worker), shutdown.clone());
        let message = self.receive().await.expect("a message");
        tokio::spawn(async move {
            dispatch(&worker, message, &shutdown).await;
        })
    }

    /// The same, and waits until a page is under way, which it stays until the platform is opened.
    pub(crate) async fn start_page(
        &self,
        platform: &Platform,
        shutdown: &Shutdown,
    ) -> JoinHandle<()> {
        self.start_page_by(&self.worker, platform, shutdown).await
    }

    pub(crate) async fn start_page_by(
        &self,
        worker: &Arc<Worker>,
        platform: &Platform,
        shutdown: &Shutdown,
    ) -> JoinHandle<()> {
        platform.close();
        let work = self.start_by(worker, shutdown).await;
        platform.until_asked(1).await;
        work
    }

    pub(crate) async fn receive(&self) -> Option<Received> {
        self.queue.receive(1, Duration::ZERO).await.unwrap().pop()
    }

    /// Sweeps and delivers.
    pub(crate) async fn work(&self) {
        self.sweep().await;
        self.deliver().await;
    }

    /// Works until the run has ended, turning the clock to whatever is waited for.
    pub(crate) async fn work_until_ended(&self, run: RunId) -> Run {
        for _ in 0..50 {
            self.work().await;
            let now = self.run(run).await;
            if now.state.is_finished() {
                return now;
            }
            let until = now.delayed_until.expect("a run that is not finished waits");
            self.clock.turn_to(until.max(self.clock.now()));
        }
        panic!("the run did not end: {:?}", self.run(run).await);
    }

    pub(crate) async fn run(&self, run: RunId) -> Run {
        self.store.run(run).await.unwrap().expect("the run is there")
    }

    /// The integration's runs, newest first.
    pub(crate) async fn runs(&self, integration: IntegrationId) -> Vec<Run> {
        let filter = RunFilter { integration: Some(integration), ..RunFilter::default() };
        self.store.runs(filter, 100).await.unwrap()
    }

    pub(crate) async fn streams(&self, run: RunId) -> Vec<Stream> {
        self.store.streams(run, None, None, 1_000).await.unwrap()
    }

    pub(crate) async fn count(&self, run: RunId, state: StreamState) -> usize {
        self.store.streams(run, Some(state), None, 1_000).await.unwrap().len()
    }

    /// The source ids of all activities, sorted.
    pub(crate) async fn activities(&self) -> Vec<String> {
        sqlx::query_scalar("select source_id from activities order by source_id")
            .fetch_all(self.store.pool())
            .await
            .unwrap()
    }

    /// What a story must never leave behind.
    pub(crate) async fn check_invariants(&self) {
        let stray: i64 = sqlx::query_scalar(
            "select count(*) from integration_streams s join integration_runs r on r.id = s.run_id
             where s.state = 'processing' and s.lease_token is distinct from r.lease_token",
        )
        .fetch_one(self.store.pool())
        .await
        .unwrap();
        assert_eq!(stray, 0, "streams in processing whose run is not");
        let unsent: i64 = sqlx::query_scalar(
            "select count(*) from integration_runs r join integrations i on i.id = r.integration_id
             where r.processed_at is null and r.send_at is null and i.status = 'active'",
        )
        .fetch_one(self.store.pool())
        .await
        .unwrap();
        assert_eq!(unsent, 0, "live runs that nobody will hear of");
    }
}

fn worker(
    store: &Store,
    queue: &Arc<MemoryQueue>,
    registry: Registry,
    holder: &str,
) -> Arc<Worker> {
    let settings = Settings { holder: holder.to_owned(), ..Settings::default() };
    let queue = Arc::clone(queue) as Arc<dyn Queue>;
    let vault = Vault::new(store, &registry, keyring());
    let ledger = Ledger::of(store.clone());
    Arc::new(Worker { store: store.clone(), queue, registry, vault, ledger, settings })
}

/// One master key, the same for every worker.
pub(crate) fn keyring() -> Keyring {
    format!("first:{}=", "A".repeat(43)).parse().unwrap()
}
