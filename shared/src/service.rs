//! What both services do around their work: listen for signals, open the admin port at once, wait
//! for a database or a queue that is not there yet.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::admin::{self, Readiness};
use crate::config::{
    DatabaseArgs, DatabaseConfig, KeyringArgs, Mistakes, PlatformArgs, PlatformConfig, QueueArgs,
    QueueConfig,
};
use crate::integrations;
use crate::keyring::Keyring;
use crate::queue::{self, Queue};
use crate::sdk::Registry;
use crate::store::Store;
use crate::telemetry::{self, LogDirectives, LogFormat, Metrics};
use crate::vault::Vault;

/// What every service is told.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Service")]
pub struct ServiceArgs {
    /// Where /livez, /readyz and /metrics are served; keep it off the public network
    #[arg(long, env = "ADMIN_ADDRESS", default_value = "127.0.0.1:9090")]
    admin_address: String,
    /// How log lines look: auto (for people on a terminal, JSON otherwise), human or json
    #[arg(long, env = "LOG_FORMAT", default_value = "auto")]
    log_format: String,
    /// What is logged, as in `warn,shared=debug`; added to info
    #[arg(long, env = "RUST_LOG", default_value = "", hide_default_value = true)]
    log: String,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    queue: QueueArgs,
    #[command(flatten)]
    platforms: PlatformArgs,
    #[command(flatten)]
    keyring: KeyringArgs,
}

/// The same, checked.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    pub admin_address: SocketAddr,
    pub log_format: LogFormat,
    pub log: LogDirectives,
    pub database: DatabaseConfig,
    pub queue: QueueConfig,
    pub platforms: PlatformConfig,
    pub keyring: Keyring,
}

impl ServiceArgs {
    /// How long a received message stays invisible to others, if that can be read.
    pub fn visibility(&self) -> Option<Duration> {
        self.queue.visibility(&mut Mistakes::default())
    }

    pub fn check(&self, mistakes: &mut Mistakes) -> Option<ServiceConfig> {
        // Each is read before any is looked at, so that every mistake is named.
        let admin_address = mistakes.read("--admin-address", &self.admin_address);
        let log_format = mistakes.read("--log-format", &self.log_format);
        let log = mistakes.read("--log", &self.log);
        let database = self.database.check(mistakes);
        let queue = self.queue.check(mistakes);
        let platforms = self.platforms.check(mistakes);
        let keyring = self.keyring.check(mistakes);
        Some(ServiceConfig {
            admin_address: admin_address?,
            log_format: log_format?,
            log: log?,
            database: database?,
            queue: queue?,
            platforms: platforms?,
            keyring: keyring?,
        })
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

/// What both services stand on, from the first signal handler to the last answer of the admin port.
pub struct Service {
    pub store: Store,
    pub registry: Registry,
    pub vault: Vault,
    /// Cancelled when the service is to stop.
    pub stop: CancellationToken,
    queue_config: QueueConfig,
    queue: Arc<OnceLock<Arc<dyn Queue>>>,
    ended: CancellationToken,
    admin: JoinHandle<io::Result<()>>,
}

impl Service {
    /// Starts logging, listens for signals and opens the admin port. From here on `/livez` answers,
    /// and `/readyz` says what is missing.
    pub async fn start(config: ServiceConfig) -> anyhow::Result<Self> {
        telemetry::init_with(config.log_format, &config.log)?;
        let metrics = Metrics::install()?;
        let stop = stop_on_signal()?;
        let store = Store::connect_lazily(&config.database)?;
        let registry = integrations::registry(&config.platforms)?;
        let vault = Vault::new(&store, &registry, config.keyring);
        let address = config.admin_address;
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("opening the admin port {address}"))?;
        info!("the admin port is http://{}", listener.local_addr()?);
        let queue = Arc::new(OnceLock::new());
        let readiness = readiness(&store, &queue, &stop);
        let ended = CancellationToken::new();
        let admin = tokio::spawn(admin::serve(listener, readiness, metrics, ended.clone()));
        Ok(Self { store, registry, vault, stop, queue_config: config.queue, queue, ended, admin })
    }

    /// Waits until the database has this version's schema and the queue is there; `None` if asked to
    /// stop before.
    pub async fn connect(&self) -> Option<Arc<dyn Queue>> {
        // Whatever is waited for is dropped where it stands: none of it begins a transaction.
        tokio::select! {
            () = self.stop.cancelled() => None,
            queue = self.until_connected() => {
                let _first = self.queue.set(Arc::clone(&queue));
                Some(queue)
            }
        }
    }

    async fn until_connected(&self) -> Arc<dyn Queue> {
        loop {
            match self.try_connect().await {
                Ok(queue) => return queue,
                Err(error) => warn!("not ready yet: {error:#}"),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn try_connect(&self) -> anyhow::Result<Arc<dyn Queue>> {
        self.store.check().await?;
        queue::connect(&self.queue_config, &self.store).await
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    use super::*;

    /// Takes every connection and says nothing, as a host does that has frozen.
    struct Silent(TcpListener);

    impl Silent {
        async fn listen() -> Self {
            Self(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
        }

        fn database_url(&self) -> String {
            let address = self.0.local_addr().expect("an address");
            format!("postgres://millrace@{address}/millrace?sslmode=disable")
        }

        /// Held by whoever goes on waiting for an answer.
        async fn asked(&self) -> TcpStream {
            self.0.accept().await.expect("a connection").0
        }
    }

    fn service(database_url: String) -> Service {
        let database = DatabaseConfig { url: database_url, connections: 1 };
        let store = Store::connect_lazily(&database).expect("a URL");
        let registry = Registry::default();
        Service {
            vault: Vault::new(&store, &registry, Keyring::default()),
            store,
            registry,
            stop: CancellationToken::new(),
            queue_config: QueueConfig::Postgres { visibility: Duration::from_secs(60) },
            queue: Arc::default(),
            ended: CancellationToken::new(),
            admin: tokio::spawn(async { Ok(()) }),
        }
    }

    #[tokio::test]
    async fn a_service_that_waits_for_a_silent_database_stops_when_it_is_asked_to() {
        let database = Silent::listen().await;
        let service = service(database.database_url());
        let stop = service.stop.clone();
        let connecting = tokio::spawn(async move { service.connect().await.is_some() });
        let _unanswered = database.asked().await;

        stop.cancel();

        // The pool would wait for twice as long.
        let connected = timeout(Duration::from_secs(5), connecting).await.expect("an end");
        assert!(!connected.expect("no panic"));
    }
}
