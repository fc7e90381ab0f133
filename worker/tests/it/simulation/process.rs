//! A worker or a generator on its machine: what it is doing, and how it comes to rest.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use job_generator::{Generator, Scheduler};
use shared::clock::Clock;
use shared::keyring::Keyring;
use shared::ledger::Ledger;
use shared::queue::Received;
use shared::queue::memory::MemoryQueue;
use shared::sdk::Registry;
use shared::store::Store;
use shared::vault::Vault;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::Mutex;
use tokio::task::{JoinError, JoinHandle};
use worker::{Shutdown, Worker, dispatch};

use super::forum::Forum;
use super::gate::Gate;
use super::machine::Machine;
use super::reader::Reader;
use super::wire::Wire;

/// How long a run is leased, in the simulation's time.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// Something that takes this long, in ours, will never end.
const PATIENCE: Duration = Duration::from_secs(20);

/// What all processes share.
#[derive(Clone)]
pub(super) struct Outside {
    pub(super) clock: Clock,
    pub(super) queue: Arc<MemoryQueue>,
    pub(super) forums: Arc<[Forum]>,
    /// Messages that workers have sent, and generators.
    pub(super) sent_by_workers: Arc<AtomicU64>,
    pub(super) sent_by_generators: Arc<AtomicU64>,
}

pub(super) struct Process {
    pub(super) name: String,
    pub(super) machine: Machine,
    pub(super) gate: Gate,
    pub(super) wire: Arc<Wire>,
    role: Role,
    /// Makes the same process anew, on an empty machine.
    begin: Begin,
    doing: Option<JoinHandle<()>>,
    outside: Outside,
}

/// Lives as long as its machine does.
enum Role {
    Worker(Arc<Worker>, Shutdown),
    Generator(Arc<Mutex<Scheduler>>),
}

type Begin = fn(&str, &Machine, &Gate, &Outside) -> (Arc<Wire>, Role);

/// How settling ended.
enum Settled {
    Rests,
    Held,
    Died,
    Panicked(JoinError),
    Hangs,
}

impl Process {
    pub(super) async fn worker(name: &str, database: &PgConnectOptions, outside: &Outside) -> Self {
        Self::start(name, a_worker, database, outside).await
    }

    pub(super) async fn generator(
        name: &str,
        database: &PgConnectOptions,
        outside: &Outside,
    ) -> Self {
        Self::start(name, a_generator, database, outside).await
    }

    async fn start(
        name: &str,
        begin: Begin,
        database: &PgConnectOptions,
        outside: &Outside,
    ) -> Self {
        let machine = Machine::start(database).await;
        let gate = Gate::default();
        let (wire, role) = begin(name, &machine, &gate, outside);
        let (name, outside) = (name.to_owned(), outside.clone());
        Self { name, machine, gate, wire, role, begin, doing: None, outside }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.doing.is_some()
    }

    /// Starts work on a message. A worker that is told to stop takes none.
    pub(super) fn deliver(&mut self, message: Received) {
        let Role::Worker(worker, shutdown) = &self.role else { return };
        let (worker, shutdown) = (Arc::clone(worker), shutdown.clone());
        let work = async move {
            dispatch(&worker, message, &shutdown).await;
        };
        self.doing = Some(self.machine.spawn(work));
    }

    /// Starts a beat, unless the last one is not over.
    pub(super) fn beat(&mut self) {
        let Role::Generator(scheduler) = &self.role else { return };
        if self.is_busy() {
            return;
        }
        let scheduler = Arc::clone(scheduler);
        // A beat that fails is logged, and the next one tries again.
        let beat = async move { drop(scheduler.lock().await.beat().await) };
        self.doing = Some(self.machine.spawn(beat));
    }

    /// As on SIGTERM: what is under way finishes, or is let go when there is no more grace.
    pub(super) fn stop(&self, grace: bool) {
        match &self.role {
            Role::Worker(_, shutdown) => {
                shutdown.soft.cancel();
                if !grace {
                    shutdown.hard.cancel();
                }
            }
            Role::Generator(scheduler) => {
                let scheduler = Arc::clone(scheduler);
                self.machine.spawn(async move { scheduler.lock().await.give_up().await });
            }
        }
    }

    /// As on SIGKILL, and another takes its place.
    pub(super) async fn kill(&mut self) {
        self.machine.kill().await;
        self.doing = None;
        self.gate = Gate::default();
        (self.wire, self.role) = (self.begin)(&self.name, &self.machine, &self.gate, &self.outside);
    }

    /// Waits until what it is doing is done, is held, or has died of an accident. What is wrong with
    /// that, if anything is.
    pub(super) async fn settle(&mut self) -> Result<(), String> {
        match self.settled().await {
            Settled::Held => return Ok(()),
            Settled::Rests => {}
            Settled::Died => self.kill().await,
            Settled::Panicked(panic) => return Err(format!("{} panicked: {panic}", self.name)),
            Settled::Hangs => return Err(format!("{} hangs", self.name)),
        }
        self.doing = None;
        if matches!(&self.role, Role::Worker(_, shutdown) if shutdown.soft.is_cancelled()) {
            // It has stopped, and is started again.
            self.kill().await;
        }
        Ok(())
    }

    async fn settled(&mut self) -> Settled {
        let Some(doing) = &mut self.doing else { return Settled::Rests };
        let mut patience = PATIENCE;
        let a_moment = Duration::from_millis(500);
        loop {
            tokio::select! {
                biased;
                () = self.machine.until_fatal_accident() => return Settled::Died,
                done = &mut *doing => return done.map_or_else(Settled::Panicked, |()| Settled::Rests),
                () = self.gate.until_held() => return Settled::Held,
                // It may wait a second for the database to come back.
                () = tokio::time::sleep(a_moment) => self.machine.advance(Duration::from_secs(1)).await,
            }
            patience = patience.saturating_sub(a_moment);
            if patience.is_zero() {
                return Settled::Hangs;
            }
        }
    }
}

fn a_worker(name: &str, machine: &Machine, gate: &Gate, outside: &Outside) -> (Arc<Wire>, Role) {
    let wire = Wire::to(&outside.queue, gate, &outside.sent_by_workers);
    let store = Store::new(machine.pool().clone(), outside.clock.clone());
    let registry = registry(&outside.forums, gate);
    let vault = Vault::new(&store, &registry, Keyring::default());
    let worker = Worker {
        ledger: Ledger::of(store.clone()),
        store,
        queue: wire.clone(),
        registry,
        vault,
        settings: worker::Settings { holder: name.to_owned(), lease: LEASE, ..Default::default() },
    };
    (wire, Role::Worker(Arc::new(worker), Shutdown::default()))
}

fn a_generator(name: &str, machine: &Machine, gate: &Gate, outside: &Outside) -> (Arc<Wire>, Role) {
    let wire = Wire::to(&outside.queue, gate, &outside.sent_by_generators);
    let store = Store::new(machine.pool().clone(), outside.clock.clone());
    let registry = registry(&outside.forums, gate);
    let vault = Vault::new(&store, &registry, Keyring::default());
    let generator = Generator {
        store,
        queue: wire.clone(),
        registry,
        vault,
        settings: job_generator::Settings { holder: name.to_owned(), ..Default::default() },
    };
    (wire, Role::Generator(Arc::new(Mutex::new(Scheduler::new(generator)))))
}

fn registry(forums: &Arc<[Forum]>, gate: &Gate) -> Registry {
    let forums = || Arc::clone(forums);
    Registry::default()
        .with(Reader::<false> { forums: forums(), gate: gate.clone() })
        .with(Reader::<true> { forums: forums(), gate: gate.clone() })
}
