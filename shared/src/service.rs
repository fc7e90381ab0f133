//! What both services do around their work: listen for signals, open the admin port at once, wait
//! for a database or a queue that is not there yet.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::admin::{self, Readiness};
use crate::config::{Mistakes, QueueConfig};
use crate::queue::{self, Queue};
use crate::store::Store;
use crate::telemetry::{LogFormat, Metrics};

/// What every service is told.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Service")]
pub struct ServiceArgs {
    /// Where /livez, /readyz and /metrics are served; keep it off the public network
    #[arg(long, env = "ADMIN_ADDRESS", default_value = "127.0.0.1:9090")]
    pub admin_address: String,
    /// How log lines look
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "auto")]
    pub log_format: LogFormat,
}

impl ServiceArgs {
    pub fn check(&self, mistakes: &mut Mistakes) -> Option<SocketAddr> {
        mistakes.read("--admin-address", &self.admin_address)
    }
}

/// Cancelled by the first SIGTERM or SIGINT; the second ends the process at once.
pub fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        };
        next().await;
        info!("asked to stop");
        asked.cancel();
        next().await;
        warn!("asked to stop again: ending at once");
        std::process::exit(1);
    });
    Ok(stop)
}

/// Who a process is, for people: `worker@host:pid`.
pub fn holder(service: &str) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{service}@{}:{}", host.trim(), std::process::id())
}

/// The admin port of a service, and the queue it waits for.
pub struct Service {
    store: Store,
    queue: Arc<OnceLock<Arc<dyn Queue>>>,
    /// Cancelled when the service is to stop.
    pub stop: CancellationToken,
    ended: CancellationToken,
    admin: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Service {
    /// Opens the admin port. From here on `/livez` answers, and `/readyz` says what is missing.
    pub async fn start(
        store: Store,
        admin_address: SocketAddr,
        metrics: Metrics,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(admin_address)
            .await
            .with_context(|| format!("opening the admin port {admin_address}"))?;
        info!("the admin port is http://{}", listener.local_addr()?);
        let queue = Arc::new(OnceLock::new());
        let readiness = readiness(&store, &queue, &stop);
        let ended = CancellationToken::new();
        let admin = tokio::spawn(admin::serve(listener, readiness, metrics, ended.clone()));
        Ok(Self { store, queue, stop, ended, admin })
    }

    /// Waits until the database has this version's schema and the queue is there; `None` if asked to
    /// stop before.
    pub async fn connect(&self, config: &QueueConfig) -> Option<Arc<dyn Queue>> {
        loop {
            match self.try_connect(config).await {
                Ok(queue) => {
                    let _first = self.queue.set(Arc::clone(&queue));
                    return Some(queue);
                }
                Err(error) => warn!("not ready yet: {error:#}"),
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    async fn try_connect(&self, config: &QueueConfig) -> anyhow::Result<Arc<dyn Queue>> {
        self.store.check().await?;
        queue::connect(config, &self.store).await
    }

    /// The last thing a service does: until here the admin port answers.
    pub async fn end(self) {
        self.ended.cancel();
        if let Err(error) = self.admin.await {
            warn!("the admin port failed: {error}");
        }
    }
}

fn readiness(
    store: &Store,
    queue: &Arc<OnceLock<Arc<dyn Queue>>>,
    stop: &CancellationToken,
) -> Readiness {
    let (store, queue) = (store.clone(), Arc::clone(queue));
    Readiness::new(stop.clone())
        .with("database", move || {
            let store = store.clone();
            async move { store.check().await }
        })
        .with("queue", move || {
            let queue = Arc::clone(&queue);
            async move {
                let queue = queue.get().context("not connected yet")?;
                Ok(queue.check().await?)
            }
        })
}
