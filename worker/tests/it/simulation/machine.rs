//! A machine for one process: a thread, a runtime, a road to the database, and a clock for timers
//! that stands still until it is advanced. Killing it drops whatever was under way there, where it
//! was, and its connections with it: nobody says good-bye.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use sandbox::proxy::{Accident, Proxy};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const CONNECTIONS: u32 = 3;

pub(super) struct Machine {
    road: Proxy,
    database: PgConnectOptions,
    life: Life,
    /// Accidents that have happened to its connections.
    accidents: u64,
    /// The next accident kills it.
    next_is_fatal: bool,
}

/// From start to kill.
struct Life {
    runtime: Handle,
    pool: PgPool,
    ends: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Machine {
    pub(super) async fn start(database: &PgConnectOptions) -> Self {
        let server = format!("{}:{}", database.get_host(), database.get_port());
        let server = tokio::net::lookup_host(server).await.unwrap().next().unwrap();
        let road = Proxy::to(server).await.unwrap();
        // The road looks into what is said.
        let database = database.clone().ssl_mode(PgSslMode::Disable);
        let database = database.host("127.0.0.1").port(road.addr().port());
        let life = Life::begin(database.clone());
        Self { road, database, life, accidents: 0, next_is_fatal: false }
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.life.pool
    }

    /// Runs something there. It ends with the machine.
    pub(super) fn spawn<F>(&self, what: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.life.runtime.spawn(what)
    }

    /// Timers that end within this time ring, and what they start comes to rest.
    pub(super) async fn advance(&self, time: Duration) {
        let pool = self.pool().clone();
        let advanced = self.spawn(async move {
            tokio::time::advance(time).await;
            loop {
                // A ring, a connection asked for, an answer: each is a turn of the runtime.
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
                if pool.num_idle() == pool.size() as usize {
                    return;
                }
            }
        });
        // A machine that died meanwhile has no timers.
        let _ = advanced.await;
    }

    /// Replaces an accident that has not happened yet.
    pub(super) fn arrange(&mut self, accident: Accident, is_fatal: bool) {
        self.count_accidents();
        self.next_is_fatal = is_fatal;
        self.road.arrange(accident);
    }

    /// Nothing more happens to it by itself.
    pub(super) fn arrange_nothing(&mut self) {
        self.arrange(Accident::AfterBytesFromServer(usize::MAX), false);
    }

    /// Waits for the accident that is to kill it.
    pub(super) async fn until_fatal_accident(&self) {
        if !self.next_is_fatal {
            std::future::pending::<()>().await;
        }
        self.road.until_accidents(self.accidents + 1).await;
    }

    /// Drops everything, and begins anew as an empty machine.
    pub(super) async fn kill(&mut self) {
        self.road.cut().await;
        self.life = Life::begin(self.database.clone());
        self.arrange_nothing();
        self.road.restore().await;
    }

    fn count_accidents(&mut self) {
        while self.road.until_accidents(self.accidents + 1).now_or_never().is_some() {
            self.accidents += 1;
        }
    }
}

impl Life {
    fn begin(database: PgConnectOptions) -> Self {
        let (ends, ended) = oneshot::channel();
        let (begins, begun) = mpsc::channel();
        let thread = thread::spawn(move || live(database, &begins, ended));
        let (runtime, pool) = begun.recv().expect("the machine begins");
        Self { runtime, pool, ends: Some(ends), thread: Some(thread) }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        drop(self.ends.take());
        // A panic on it was reported by whoever waited for what panicked.
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}

fn live(
    database: PgConnectOptions,
    begins: &mpsc::Sender<(Handle, PgPool)>,
    ended: oneshot::Receiver<()>,
) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    // While something blocks, tokio does not advance the time by itself.
    let (let_go, stand_still) = mpsc::channel::<()>();
    runtime.spawn_blocking(move || stand_still.recv());
    runtime.block_on(async {
        tokio::time::pause();
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_lazy_with(database);
        // Nobody listens when the simulation has ended.
        let _ = begins.send((Handle::current(), pool));
        let _ = ended.await;
    });
    runtime.shutdown_background();
    drop(let_go);
}
