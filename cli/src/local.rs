//! Both services in one process, on a private PostgreSQL and the queue in it: what `demo` and `dev`
//! stand on. They are the services as they run in production; only `main` is another.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use job_generator::Generator;
use sandbox::postgres::Cluster;
use secrecy::ExposeSecret;
use shared::config::{DatabaseConfig, PlatformConfig, QueueConfig};
use shared::integrations;
use shared::keyring::{Keyring, MasterKey};
use shared::ledger::Ledger;
use shared::queue;
use shared::store::Store;
use shared::vault::Vault;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use worker::Worker;

use crate::credentials::dated_id;
use crate::secret_file::kept;
use crate::tenants;

/// A whole Millrace on this machine. Stop it with [`Local::stop`], so that nothing is cut off.
pub(crate) struct Local {
    pub(crate) store: Store,
    pub(crate) database_url: String,
    database: String,
    pub(crate) api_url: String,
    stop: CancellationToken,
    services: JoinSet<anyhow::Result<()>>,
    /// Dropped last: the services need it until they have stopped.
    cluster: Cluster,
}

/// What differs between a demonstration and development.
pub(crate) struct Setup {
    pub(crate) database: String,
    pub(crate) platforms: PlatformConfig,
    pub(crate) tick: Duration,
    /// Port 0 takes a free one.
    pub(crate) api_address: SocketAddr,
}

/// Where everything private to this clone is kept.
pub(crate) fn directory() -> PathBuf {
    Path::new(".millrace").to_owned()
}

/// Made at the first start; credentials that are stored here are sealed by what is in it.
pub(crate) fn master_keys() -> PathBuf {
    directory().join("master-keys")
}

impl Local {
    pub(crate) async fn start(setup: Setup) -> anyhow::Result<Self> {
        let (cluster, database_url) = start_cluster(setup.database.clone()).await?;
        let database = DatabaseConfig { url: database_url.clone(), connections: 20 };
        let store = Store::connect_lazily(&database)?;
        store.migrate().await?;
        job_generator::agree_on_ticks(&store, setup.tick).await?;
        let visibility = Duration::from_secs(60);
        let queue = queue::connect(&QueueConfig::Postgres { visibility }, &store).await?;
        let registry = integrations::registry(&setup.platforms)?;
        let vault = Vault::new(&store, &registry, keyring(&master_keys())?);
        let stop = CancellationToken::new();
        let mut services = JoinSet::new();

        let listener =
            TcpListener::bind(setup.api_address).await.context("opening the API's port")?;
        let api_url = format!("http://{}", listener.local_addr()?);
        let generator = Generator {
            store: store.clone(),
            queue: Arc::clone(&queue),
            registry: registry.clone(),
            vault: vault.clone(),
            settings: job_generator::Settings { tick: setup.tick, ..Default::default() },
        };
        services.spawn(job_generator::generate(generator, listener, stop.clone()));

        let settings = worker::Settings::default();
        let ledger = Ledger::of(store.clone());
        let worker = Worker { store: store.clone(), queue, registry, vault, ledger, settings };
        let worker_stop = stop.clone();
        services.spawn(async move {
            worker::consume(Arc::new(worker), worker_stop).await;
            Ok(())
        });
        Ok(Self { store, database_url, database: setup.database, api_url, stop, services, cluster })
    }

    /// A tenant; its API token.
    pub(crate) async fn add_tenant(&self, name: &str) -> anyhow::Result<String> {
        let token = tenants::new_token();
        self.store.add_tenant(name, &token).await?;
        Ok(token)
    }

    /// Lets both services finish, then the database.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.stop_services().await?;
        tokio::task::spawn_blocking(move || self.cluster.stop()).await?
    }

    /// The same, and nothing is left of what was stored.
    pub(crate) async fn drop_database_and_stop(mut self) -> anyhow::Result<()> {
        self.stop_services().await?;
        tokio::task::spawn_blocking(move || {
            self.cluster.drop_database(&self.database)?;
            self.cluster.stop()
        })
        .await?
    }

    async fn stop_services(&mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        while let Some(ended) = self.services.join_next().await {
            ended??;
        }
        self.store.pool().close().await;
        Ok(())
    }
}

/// Starting a server blocks, so it has a thread of its own.
async fn start_cluster(database: String) -> anyhow::Result<(Cluster, String)> {
    tokio::task::spawn_blocking(move || {
        let cluster = Cluster::start(&directory().join("postgres"))?;
        cluster.create_database(&database)?;
        let url = cluster.url(&database);
        Ok((cluster, url))
    })
    .await?
}

/// What is in the file; if there is none, a new key is made and put there.
fn keyring(path: &Path) -> anyhow::Result<Keyring> {
    let key = MasterKey::new(&dated_id())?;
    let context = || format!("the master keys in {}", path.display());
    let keys = kept(path, || key.reveal().to_string().into()).with_context(context)?;
    keys.expose_secret().parse().with_context(context)
}

/// A port of this machine alone.
pub(crate) fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}
