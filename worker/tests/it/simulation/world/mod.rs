//! The world of one simulation: a database, a queue, two forums, workers, generators, and what
//! happens to all of them.

mod rest;
mod wishes;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use sandbox::proxy::Accident;
use serde_json::json;
use shared::clock::Clock;
use shared::domain::{CheckSchedule, IntegrationId, RequestedBy, RunId, RunMode, TenantId, Tick};
use shared::queue::memory::MemoryQueue;
use shared::queue::{Outgoing, Queue};
use shared::store::{NewIntegration, Store};
use sqlx::PgPool;
use tokio::task::JoinHandle;

use crate::simulation::forum::Forum;
use crate::simulation::invariants;
use crate::simulation::operations::{GENERATORS, How, Nth, Operation, WORKERS};
use crate::simulation::process::{LEASE, Outside, Process};
use wishes::{granted, latest_run};

pub(super) struct World {
    clock: Clock,
    /// Ours, through which nothing goes wrong.
    store: Store,
    queue: Arc<MemoryQueue>,
    forums: Arc<[Forum]>,
    outside: Outside,
    tenant: TenantId,
    integrations: Vec<IntegrationId>,
    processes: Vec<Process>,
    /// Requests of tenants that are under way.
    wishes: Vec<JoinHandle<()>>,
    /// Runs that somebody was told of.
    accepted: Arc<Mutex<Vec<RunId>>>,
}

impl World {
    /// A new one, in a database that may have seen another.
    pub(super) async fn create(pool: &PgPool, seed: u64) -> Self {
        // What died in the last one may not have noticed yet.
        sqlx::query(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .execute(pool)
        .await
        .unwrap();
        sqlx::query(
            "truncate tenants, ticks, scheduler_lease, quota_ledger, violations, tokens, moves, committed cascade",
        )
        .execute(pool)
        .await
        .unwrap();
        let clock = Clock::standing_at("2024-05-01T12:00:00Z".parse().unwrap());
        let queue = Arc::new(MemoryQueue::new(clock.clone()).mischievous(seed));
        let forums: Arc<[Forum]> =
            ["tea", "coffee"].map(|name| Forum::new(name, clock.clone())).into();
        let outside = Outside {
            clock: clock.clone(),
            queue: queue.clone(),
            forums: forums.clone(),
            sent_by_workers: Arc::default(),
            sent_by_generators: Arc::default(),
        };
        let store = Store::new(pool.clone(), clock.clone());
        let tenant = store.add_tenant("acme", "a token").await.unwrap().id;
        let mut world = Self {
            clock,
            store,
            queue,
            forums,
            outside,
            tenant,
            integrations: Vec::new(),
            processes: Vec::new(),
            wishes: Vec::new(),
            accepted: Arc::default(),
        };
        world.start_processes(pool).await;
        world.connect("forum", 0, CheckSchedule::EveryTick).await;
        world.connect("rationed_forum", 1, CheckSchedule::EveryTicks(2)).await;
        world
    }

    async fn start_processes(&mut self, pool: &PgPool) {
        let database = pool.connect_options();
        for n in 0..WORKERS {
            let name = format!("worker {n}");
            self.processes.push(Process::worker(&name, &database, &self.outside).await);
        }
        for n in 0..GENERATORS {
            let name = format!("generator {n}");
            self.processes.push(Process::generator(&name, &database, &self.outside).await);
        }
    }

    async fn connect(&mut self, kind: &str, forum: usize, checks: CheckSchedule) {
        let now = Tick::at(self.clock.now(), Duration::from_secs(60));
        let new = NewIntegration {
            tenant_id: self.tenant,
            kind: kind.to_owned(),
            settings: json!({ "forum": forum }),
            units: Vec::new(),
            first_check: checks.first_check(now, 0),
            credential_id: None,
            member_attributes: Vec::new(),
        };
        let connected = self.store.connect(&new, RequestedBy::Connect).await.unwrap();
        self.integrations.push(connected.integration.id);
        self.accepted.lock().unwrap().push(connected.requested.run);
    }

    /// Lets everything happen, one after the other, then heals the world and waits for it to come to
    /// rest. The first thing that is wrong, with the operation after which it was.
    pub(super) async fn live_through(&mut self, operations: &[Operation]) -> Result<(), String> {
        for (n, operation) in operations.iter().enumerate() {
            let after = |wrong| format!("after operation {n}, {operation:?}: {wrong}");
            self.start(operation).await;
            self.settle().await.map_err(after)?;
            self.check_invariants().await.map_err(after)?;
        }
        self.come_to_rest().await.map_err(|wrong| format!("after all is well again: {wrong}"))
    }

    /// Begins what is to happen; what takes its time is settled later.
    async fn start(&mut self, operation: &Operation) {
        match operation {
            Operation::Together(operations) => {
                for operation in operations {
                    Box::pin(self.start(operation)).await;
                }
            }
            Operation::AdvanceTime(seconds) => self.clock.advance(Duration::from_secs(*seconds)),
            Operation::Beat(nth) => self.processes[*nth].beat(),
            Operation::Deliver(nth) => self.deliver(*nth).await,

            Operation::HoldAt(nth, point) => self.processes[*nth].gate.hold_at(*point),
            Operation::Release(nth) => self.processes[*nth].gate.open(),
            Operation::Heartbeat(nth) => self.pass_time_on(*nth, LEASE / 3).await,
            Operation::SliceOver(nth) => self.pass_time_on(*nth, Duration::from_secs(301)).await,
            Operation::Stop { process, grace } => self.processes[*process].stop(*grace),
            Operation::Kill(nth) => self.processes[*nth].kill().await,
            Operation::Accident { process, how, fatal } => {
                self.processes[*process].machine.arrange(accident(*how), *fatal);
            }

            Operation::DuplicateMessage(nth) => self.duplicate_message(*nth).await,
            Operation::LoseMessage => self.queue.lose_next(),
            Operation::PurgeQueue => self.queue.purge(),
            Operation::RefuseMessages(count) => self.queue.refuse_next(*count),
            Operation::QueueAway => self.queue.go_away(),
            Operation::QueueBack => self.queue.come_back(),
            Operation::Lose(nth, lost) => self.processes[*nth].wire.lose_next(*lost),

            Operation::ApiFails { forum, failure, times } => {
                self.forums[*forum].fail_next(*failure, *times);
            }
            Operation::Write { forum, board } => self.forums[*forum].write(*board),
            Operation::Edit { forum, post } => self.forums[*forum].edit(*post),
            Operation::Reply { forum, post } => self.forums[*forum].reply(*post),

            Operation::Post { integration, mode } => self.post_start(*integration, *mode).await,
            Operation::StepAgain { integration, stream } => {
                self.post_stream(*integration, *stream).await;
            }
            wish => self.wish(wish),
        }
    }

    async fn deliver(&mut self, nth: Nth) {
        let worker = &mut self.processes[nth];
        if worker.is_busy() {
            return;
        }
        // Received by us, so that a message that is lost on the way was received all the same.
        let received = worker.wire.receive(1, Duration::ZERO).await;
        if let Some(message) = received.ok().and_then(|mut messages| messages.pop()) {
            worker.deliver(message);
        }
    }

    async fn pass_time_on(&mut self, nth: Nth, time: Duration) {
        if self.processes[nth].is_busy() {
            self.processes[nth].machine.advance(time).await;
        }
    }

    // Messages.

    async fn duplicate_message(&self, nth: usize) {
        let bodies = self.queue.bodies();
        if let Some(body) = bodies.get(nth % bodies.len().max(1)) {
            self.post(body.clone()).await;
        }
    }

    async fn post_start(&self, integration: usize, mode: RunMode) {
        let (integration, onboarding) = (self.integrations[integration], mode.is_onboarding());
        let body = json!({
            "type": "integration_process", "integrationId": integration, "onboarding": onboarding,
        });
        self.post(body.to_string()).await;
    }

    async fn post_stream(&self, integration: usize, nth: usize) {
        let Some(run) = latest_run(&self.store, self.integrations[integration]).await else {
            return;
        };
        let streams = self.store.streams(run, None, None, 100).await.unwrap();
        if let Some(stream) = streams.get(nth % streams.len().max(1)) {
            let body =
                json!({ "type": "integration_process", "runId": run, "streamId": stream.id });
            self.post(body.to_string()).await;
        }
    }

    async fn post(&self, body: String) {
        let group = self.tenant.to_string();
        let message = Outgoing { body, group, delay: Duration::ZERO, trace: None };
        // A queue that is away was not asked for anything.
        let _ = self.queue.send(&[message]).await;
    }

    // What tenants and operators ask for.

    fn wish(&mut self, wish: &Operation) {
        let store = self.store.clone();
        let (wish, accepted) = (wish.clone(), Arc::clone(&self.accepted));
        let integrations = self.integrations.clone();
        self.wishes.push(tokio::spawn(async move {
            if let Some(run) = granted(&store, &integrations, wish).await {
                accepted.lock().unwrap().push(run);
            }
        }));
    }

    async fn settle(&mut self) -> Result<(), String> {
        for wish in self.wishes.drain(..) {
            wish.await.map_err(|panic| format!("a request panicked: {panic}"))?;
        }
        let settled = join_all(self.processes.iter_mut().map(Process::settle)).await;
        settled.into_iter().collect()
    }

    async fn check_invariants(&self) -> Result<(), String> {
        all_well(invariants::broken(self.store.pool(), &self.forums).await)
    }
}

fn accident(how: How) -> Accident {
    match how {
        How::BeforeCommit => Accident::BeforeServerHears(b"COMMIT".to_vec()),
        How::AfterCommit => Accident::BeforeClientLearns(b"COMMIT".to_vec()),
        How::BeforeAnyStatement => Accident::BeforeServerHears(Vec::new()),
        How::AfterAnyStatement => Accident::BeforeClientLearns(Vec::new()),
        How::AfterBytes(bytes) => Accident::AfterBytesFromServer(bytes),
    }
}

fn all_well(wrong: Vec<String>) -> Result<(), String> {
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}
