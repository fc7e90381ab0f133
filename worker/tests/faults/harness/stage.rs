//! What faults happen to: a database, a queue, simulated platforms, tenants that have connected them,
//! and processes of both services.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use sandbox::devto::{Community, Devto};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::domain::{
    CredentialId, IntegrationId, IntegrationStatus, RequestedBy, Run, RunId, RunMode, TenantId,
};
use shared::store::{NewIntegration, Store};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection, PgPool};
use tempfile::TempDir;
use uuid::Uuid;

use super::audit;
use super::credentials::MASTER_KEYS;
use super::hints::Hints;
use super::platforms::{Ground, Mix, Platform};
use super::process::{Launch, Program, http};

pub(crate) struct Stage {
    pub(crate) store: Store,
    pub(crate) devto: Rc<Devto>,
    /// Where dev.to is not alone.
    pub(crate) mix: Option<Mix>,
    pub(crate) platforms: Vec<Rc<dyn Platform>>,
    pub(crate) hints: Hints,
    /// Everything that was connected.
    pub(super) connected: RefCell<Vec<Connected>>,
    /// Triggers that somebody was promised would be carried out.
    pub(super) accepted: RefCell<Vec<RunId>>,
    database: PgConnectOptions,
    logs: TempDir,
    launched: Cell<u32>,
    devto_per_second: u32,
    /// Workers that were killed.
    pub(super) dead: RefCell<Vec<String>>,
    /// Renewals that were lost with one of them.
    pub(super) lost: Cell<u64>,
}

/// All of a platform, connected by a tenant.
#[derive(Clone, Debug)]
pub(crate) struct Connected {
    pub(crate) kind: &'static str,
    pub(crate) integration: IntegrationId,
    pub(crate) onboarding: RunId,
    /// For the HTTP API.
    pub(crate) token: String,
}

impl Stage {
    /// On an empty database that has the schema, and with the queue in it.
    pub(crate) async fn set(pool: PgPool, community: Community) -> Self {
        let hints = Hints::in_postgres(&pool);
        Self::with(pool, Ground::devto(community).await, hints).await
    }

    /// The same with all six platforms.
    pub(crate) async fn set_mixed(pool: PgPool) -> Self {
        let hints = Hints::in_postgres(&pool);
        Self::with(pool, Ground::mixed().await, hints).await
    }

    /// With a queue in this SQS, which processes reach by way of `proxy`.
    pub(crate) async fn set_with_sqs(
        pool: PgPool,
        community: Community,
        sqs: SocketAddr,
        proxy: SocketAddr,
    ) -> Self {
        let ground = Ground::devto(community).await;
        Self::with(pool, ground, Hints::in_sqs(sqs, proxy).await).await
    }

    pub(crate) async fn set_mixed_with_sqs(pool: PgPool, sqs: SocketAddr) -> Self {
        Self::with(pool, Ground::mixed().await, Hints::in_sqs(sqs, sqs).await).await
    }

    async fn with(pool: PgPool, ground: Ground, hints: Hints) -> Self {
        let stage = Self::before_schema(pool, ground, hints);
        audit::install(stage.pool()).await;
        stage
    }

    /// Without the schema, and the queue in it once it is there.
    pub(crate) async fn set_without_schema(pool: PgPool, community: Community) -> Self {
        let hints = Hints::in_postgres(&pool);
        Self::before_schema(pool, Ground::devto(community).await, hints)
    }

    pub(crate) async fn migrate(&self) {
        self.store.migrate().await.expect("the schema");
        audit::install(self.pool()).await;
    }

    fn before_schema(pool: PgPool, ground: Ground, hints: Hints) -> Self {
        Self {
            devto_per_second: ground.devto_per_second(),
            devto: ground.devto,
            mix: ground.mix,
            platforms: ground.platforms,
            hints,
            connected: RefCell::default(),
            accepted: RefCell::default(),
            database: (*pool.connect_options()).clone(),
            store: Store::new(pool, Clock::System),
            logs: tempfile::tempdir().expect("a directory for logs"),
            launched: Cell::new(0),
            dead: RefCell::default(),
            lost: Cell::new(0),
        }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        self.store.pool()
    }

    /// Lets every answer of every platform take at least this long.
    pub(crate) fn set_latency(&self, latency: Duration) {
        self.platforms.iter().for_each(|platform| platform.set_latency(latency));
    }

    /// A new tenant connects dev.to; its onboarding is asked for, and its message is due.
    pub(crate) async fn connect(&self) -> Connected {
        let (tenant, token) = self.add_tenant().await;
        self.connect_to(tenant, &token, &*self.platforms[0], None).await
    }

    /// A new tenant connects every platform there is.
    pub(crate) async fn connect_all(&self) -> Vec<Connected> {
        let (tenant, token) = self.add_tenant().await;
        let (mut brought, mut connected) = (BTreeMap::new(), Vec::new());
        let mut first_token = String::new();
        for platform in &self.platforms {
            if let Some(credential) = platform.credential() {
                if let Some(token) = credential["access_token"].as_str() {
                    token.clone_into(&mut first_token);
                }
                let credential = self.bring(tenant, platform.platform(), credential).await;
                brought.insert(platform.platform(), credential);
            }
            let credential = brought.get(platform.platform()).copied();
            connected.push(self.connect_to(tenant, &token, &**platform, credential).await);
        }
        if let Some(mix) = &self.mix {
            // From now on it is renewed every few seconds.
            mix.x.twitter.expire_access_token(&first_token);
        }
        connected
    }

    pub(crate) async fn add_tenant(&self) -> (TenantId, String) {
        let token = Uuid::new_v4().to_string();
        (self.store.add_tenant("acme", &token).await.expect("a tenant").id, token)
    }

    async fn connect_to(
        &self,
        tenant: TenantId,
        token: &str,
        platform: &dyn Platform,
        credential_id: Option<CredentialId>,
    ) -> Connected {
        let new = NewIntegration {
            tenant_id: tenant,
            kind: platform.kind().to_owned(),
            settings: platform.settings(),
            units: Vec::new(),
            first_check: None,
            credential_id,
            member_attributes: Vec::new(),
        };
        let connected = self.store.connect(&new, RequestedBy::Connect).await.expect("connected");
        self.connected_as(platform.kind(), connected.integration.id, connected.requested.run, token)
    }

    /// Notes what was connected, and that its onboarding was promised.
    pub(crate) fn connected_as(
        &self,
        kind: &'static str,
        integration: IntegrationId,
        onboarding: RunId,
        token: &str,
    ) -> Connected {
        let connected = Connected { kind, integration, onboarding, token: token.to_owned() };
        self.accepted.borrow_mut().push(onboarding);
        self.connected.borrow_mut().push(connected.clone());
        connected
    }

    /// On a mix people go on writing while faults happen, and ask for checks of what was onboarded.
    pub(crate) async fn live(&self, rng: &mut StdRng) {
        if self.mix.is_none() {
            return;
        }
        self.platforms[rng.random_range(0..self.platforms.len())].write();
        let connected = self.connected.borrow().clone();
        for _ in 0..2 {
            self.ask_for_check(&connected[rng.random_range(0..connected.len())]).await;
        }
    }

    /// Unless it has to be reconnected first. A run that is live is joined.
    pub(super) async fn ask_for_check(&self, connected: &Connected) {
        let Connected { integration, .. } = *connected;
        let known = self.store.integration(integration).await.expect("an answer");
        if known.is_none_or(|known| known.status != IntegrationStatus::Active) {
            return;
        }
        let asked = self.store.request_run(integration, RunMode::Check, RequestedBy::Api).await;
        let asked = asked.expect("an answer").expect("the integration is there");
        self.accepted.borrow_mut().push(asked.run);
    }

    /// Asks for a run over the HTTP API, which accepts it; the run.
    pub(crate) async fn ask_for_run(
        &self,
        api: SocketAddr,
        connected: &Connected,
        mode: RunMode,
    ) -> RunId {
        let url = format!("http://{api}/v1/integrations/{}/runs", connected.integration);
        let request = http().post(url).bearer_auth(&connected.token);
        let answer = request.json(&json!({ "mode": mode })).send().await.expect("an answer");
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(status, 202, "{body}");
        let run = body["id"].as_str().and_then(|id| id.parse().ok());
        let run = run.unwrap_or_else(|| panic!("no run in {body}"));
        self.accepted.borrow_mut().push(run);
        run
    }

    pub(crate) async fn run(&self, run: RunId) -> Run {
        self.store.run(run).await.expect("an answer").expect("the run is there")
    }

    /// A worker with short leases, to be started.
    pub(crate) fn worker(&self) -> Launch {
        self.launch(Program::Worker)
            .with("--lease-seconds", 2)
            .with("--visibility-seconds", 2)
            .with("--backoff-seconds", 1)
    }

    /// A generator with short leases, to be started.
    pub(crate) fn generator(&self) -> Launch {
        self.launch(Program::Generator)
            .with("--api-address", "127.0.0.1:0")
            .with("--scheduler-lease-seconds", 2)
    }

    fn launch(&self, program: Program) -> Launch {
        let number = self.launched.replace(self.launched.get() + 1);
        let name = format!("{program:?}-{number}").to_lowercase();
        let launch = Launch::of(program, name.clone(), self.logs.path())
            .with("--database-url", database_url(&self.database, &name))
            .with("--devto-requests-per-second", self.devto_per_second)
            .with("--master-keys", MASTER_KEYS)
            .with("--admin-address", "127.0.0.1:0");
        let flags = self.platforms.iter().map(|platform| platform.flag());
        let launch = flags.fold(launch, |launch, (flag, url)| launch.with(flag, url));
        self.hints.told_to(launch)
    }

    /// Where PostgreSQL is, for a proxy in front of it.
    pub(crate) fn database_address(&self) -> SocketAddr {
        let host = self.database.get_host().parse().expect("an address");
        SocketAddr::new(host, self.database.get_port())
    }

    /// Lets a process reach PostgreSQL by way of this address.
    pub(crate) fn with_database_at(&self, launch: Launch, address: SocketAddr) -> Launch {
        let database = self.database.clone().port(address.port());
        let url = database_url(&database, &launch.name);
        launch.with("--database-url", url)
    }

    /// A connection of the test's own.
    pub(crate) async fn connection(&self) -> PgConnection {
        self.database.connect().await.expect("a connection")
    }
}

/// The database as a process of this name should know it.
fn database_url(database: &PgConnectOptions, process: &str) -> String {
    let mut url = database.to_url_lossy();
    url.query_pairs_mut().append_pair("options", &format!("-c faults.process={process}"));
    url.into()
}
