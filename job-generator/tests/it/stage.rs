//! The stage a story is played on: a database of its own, a queue in memory, a clock that is turned
//! by hand, one tenant, and a worker that finds nothing to fetch.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use job_generator::{Generator, Scheduler, Settings};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::domain::{DiscoveryId, IntegrationId, RequestedBy, RunId, TenantId, Tick};
use shared::keyring::Keyring;
use shared::message::Message;
use shared::queue::Queue;
use shared::queue::memory::MemoryQueue;
use shared::store::{NewDiscovery, NewIntegration, Store};
use shared::vault::Vault;
use sqlx::PgPool;
use uuid::Uuid;

use crate::toys;

/// As long as in production.
pub(crate) const TICK: Duration = Duration::from_secs(60);
pub(crate) const LEASE: Duration = Duration::from_secs(10);

pub(crate) struct Stage {
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) queue: Arc<MemoryQueue>,
    tenant: TenantId,
}

impl Stage {
    pub(crate) async fn set(pool: PgPool) -> Self {
        let start: DateTime<Utc> = "2024-05-01T12:00:00Z".parse().unwrap();
        let clock = Clock::standing_at(start);
        let store = Store::new(pool, clock.clone());
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        let tenant = store.add_tenant("acme", "a token").await.unwrap().id;
        Self { clock, store, queue, tenant }
    }

    pub(crate) fn generator(&self, holder: &str) -> Scheduler {
        let settings =
            Settings { holder: holder.to_owned(), tick: TICK, lease: LEASE, ..Settings::default() };
        let (store, queue) = (self.store.clone(), Arc::clone(&self.queue));
        let registry = toys::registry();
        let vault = Vault::new(&store, &registry, Keyring::default());
        Scheduler::new(Generator { store, queue, registry, vault, settings })
    }

    pub(crate) async fn ask_discovery(&self) -> DiscoveryId {
        let new = NewDiscovery {
            tenant_id: self.tenant,
            kind: "patient".into(),
            settings: json!({}),
            credential: None,
        };
        self.store.ask_discovery(&new, None).await.unwrap().id
    }

    /// Connects an integration, and lets its onboarding run to its end.
    pub(crate) async fn connect(&self, kind: &str) -> IntegrationId {
        let connected =
            self.store.connect(&self.wanted(kind, 0), RequestedBy::Connect).await.unwrap();
        self.finish(connected.requested.run).await;
        connected.integration.id
    }

    /// Connects many at once, each at a phase of its own, none of them with a run.
    pub(crate) async fn connect_many(&self, kind: &str, count: usize) {
        for _ in 0..count {
            let wanted = self.wanted(kind, Uuid::new_v4().as_u128());
            sqlx::query(
                "insert into integrations (id, tenant_id, kind, settings, next_check_tick)
                 values ($1, $2, $3, 'null', $4)",
            )
            .bind(IntegrationId::new().0)
            .bind(self.tenant.0)
            .bind(kind)
            .bind(wanted.first_check.map(|tick| tick.0))
            .execute(self.store.pool())
            .await
            .unwrap();
        }
    }

    fn wanted(&self, kind: &str, seed: u128) -> NewIntegration {
        let integration = toys::registry().find(kind).unwrap().clone();
        NewIntegration {
            tenant_id: self.tenant,
            kind: kind.to_owned(),
            settings: Value::Null,
            units: Vec::new(),
            first_check: integration.checks().first_check(self.tick(), seed),
            credential_id: None,
            member_attributes: Vec::new(),
        }
    }

    pub(crate) fn tick(&self) -> Tick {
        Tick::at(self.clock.now(), TICK)
    }

    pub(crate) fn next_tick(&self) {
        self.clock.advance(TICK);
    }

    /// Receives every message and does what it asks for, as a worker does; the runs that came to
    /// their end by it.
    pub(crate) async fn work(&self) -> Vec<RunId> {
        let mut finished = Vec::new();
        while let Some(message) = self.queue.receive(1, Duration::ZERO).await.unwrap().pop() {
            let Ok(Message::Process { run, stream: None }) = Message::decode(&message.body) else {
                panic!("not a message about a run: {}", message.body);
            };
            if self.finish(run).await {
                finished.push(run);
            }
            self.queue.acknowledge(&message.receipt).await.unwrap();
        }
        finished
    }

    /// Whether the run was there to be claimed.
    async fn finish(&self, run: RunId) -> bool {
        let Some(claimed) = self.store.claim_run(run, "worker", LEASE).await.unwrap() else {
            return false;
        };
        self.store.list_streams(claimed.lease, &[], 0).await.unwrap();
        self.store.finish_run(claimed.lease, None, 0).await.unwrap();
        true
    }

    /// How many checks ticks have made of an integration.
    pub(crate) async fn checks(&self, integration: IntegrationId) -> i64 {
        sqlx::query_scalar(
            "select count(*) from integration_runs where integration_id = $1 and requested_by = 'tick'",
        )
        .bind(integration.0)
        .fetch_one(self.store.pool())
        .await
        .unwrap()
    }

    /// How many checks ticks have made of each integration of a kind.
    pub(crate) async fn checks_of_each(&self, kind: &str) -> Vec<i64> {
        sqlx::query_scalar(
            "select count(r.id) from integrations i left join integration_runs r
             on r.integration_id = i.id and r.requested_by = 'tick'
             where i.kind = $1 group by i.id",
        )
        .bind(kind)
        .fetch_all(self.store.pool())
        .await
        .unwrap()
    }

    /// The ticks that were fired, with who fired them and how many checks came of them.
    pub(crate) async fn fired(&self) -> Vec<(i64, String, i64)> {
        sqlx::query_as("select number, holder, runs_made from ticks order by number")
            .fetch_all(self.store.pool())
            .await
            .unwrap()
    }
}
