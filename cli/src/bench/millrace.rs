//! A whole Millrace in this process, as it runs in production: generator, worker, and the queue in
//! PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use job_generator::Generator;
use serde_json::json;
use shared::config::QueueConfig;
use shared::domain::{RequestedBy, Run, RunId, RunState, TenantId};
use shared::keyring::Keyring;
use shared::ledger::Ledger;
use shared::outbox;
use shared::queue::{self, Queue};
use shared::sdk::Registry;
use shared::store::{Connected, DueMessage, NewIntegration, Store};
use shared::vault::Vault;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use worker::Worker;

/// How often we look whether the run has ended. Its own times are what is measured.
const LOOK: Duration = Duration::from_millis(100);

pub(super) struct Millrace {
    store: Store,
    queue: Arc<dyn Queue>,
    stop: CancellationToken,
    services: JoinSet<()>,
}

impl Millrace {
    pub(super) async fn start(store: &Store, registry: Registry) -> anyhow::Result<Self> {
        let visibility = Duration::from_secs(60);
        let queue = queue::connect(&QueueConfig::Postgres { visibility }, store).await?;
        let stop = CancellationToken::new();
        let mut services = JoinSet::new();
        let vault = Vault::new(store, &registry, Keyring::default());
        let generator = Generator {
            store: store.clone(),
            queue: Arc::clone(&queue),
            registry: registry.clone(),
            vault: vault.clone(),
            settings: job_generator::Settings::default(),
        };
        services.spawn(job_generator::tick(generator, stop.clone()));
        let worker = Worker {
            store: store.clone(),
            queue: Arc::clone(&queue),
            registry,
            vault,
            ledger: Ledger::of(store.clone()),
            settings: worker::Settings::default(),
        };
        services.spawn(worker::consume(Arc::new(worker), stop.clone()));
        Ok(Self { store: store.clone(), queue, stop, services })
    }

    /// Connects an integration of the kind, as the API does, and waits until its onboarding is
    /// processed. How long that took by the database's clock.
    pub(super) async fn onboard(&self, kind: &str) -> anyhow::Result<Duration> {
        let (tenant, connected) = connect(&self.store, kind).await?;
        let run = connected.requested.run;
        outbox::send_now(&self.store, &*self.queue, DueMessage { run, tenant }).await;
        let run = self.until_ended(run).await?;
        ensure!(run.state == RunState::Processed, "the run ended with a hole: {:?}", run.error);
        let processed_at = run.processed_at.context("a finished run has an end")?;
        (processed_at - run.created_at).to_std().context("a run ends after it was asked for")
    }

    async fn until_ended(&self, run: RunId) -> anyhow::Result<Run> {
        loop {
            let run = self.store.run(run).await?.context("the run is gone")?;
            if run.state.is_finished() {
                return Ok(run);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        while self.services.join_next().await.is_some() {}
    }
}

/// A tenant with one integration of the kind, whose onboarding is asked for.
pub(super) async fn connect(store: &Store, kind: &str) -> anyhow::Result<(TenantId, Connected)> {
    let tenant = store.add_tenant("bench", &Uuid::new_v4().to_string()).await?.id;
    let new = NewIntegration {
        tenant_id: tenant,
        kind: kind.to_owned(),
        settings: json!({}),
        units: Vec::new(),
        first_check: None,
        credential_id: None,
        member_attributes: Vec::new(),
    };
    Ok((tenant, store.connect(&new, RequestedBy::Connect).await?))
}
