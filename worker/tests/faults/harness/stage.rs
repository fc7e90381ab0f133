//! What faults happen to: a database, a queue, a simulated dev.to, tenants that have connected it, and
//! processes of both services.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::net::SocketAddr;

use sandbox::devto::{Community, Devto};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::domain::{IntegrationId, RequestedBy, Run, RunId, RunMode};
use shared::store::{NewIntegration, Store};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection, PgPool};
use tempfile::TempDir;
use uuid::Uuid;

use super::audit;
use super::hints::Hints;
use super::process::{Launch, Program, http};

pub(crate) struct Stage {
    pub(crate) store: Store,
    pub(crate) devto: Devto,
    pub(crate) hints: Hints,
    /// Triggers that somebody was promised would be carried out.
    pub(super) accepted: RefCell<Vec<RunId>>,
    database: PgConnectOptions,
    logs: TempDir,
    launched: Cell<u32>,
}

/// A tenant that has connected the whole community.
#[derive(Clone, Debug)]
pub(crate) struct Connected {
    pub(crate) integration: IntegrationId,
    pub(crate) onboarding: RunId,
    /// For the HTTP API.
    token: String,
}

impl Stage {
    /// On an empty database that has the schema, and with the queue in it.
    pub(crate) async fn set(pool: PgPool, community: Community) -> Self {
        let hints = Hints::in_postgres(&pool);
        Self::with(pool, community, hints).await
    }

    /// With a queue in this SQS, which processes reach by way of `proxy`.
    pub(crate) async fn set_with_sqs(
        pool: PgPool,
        community: Community,
        sqs: SocketAddr,
        proxy: SocketAddr,
    ) -> Self {
        Self::with(pool, community, Hints::in_sqs(sqs, proxy).await).await
    }

    async fn with(pool: PgPool, community: Community, hints: Hints) -> Self {
        let stage = Self::before_schema(pool, community, hints).await;
        audit::install(stage.pool()).await;
        stage
    }

    /// Without the schema, and the queue in it once it is there.
    pub(crate) async fn set_without_schema(pool: PgPool, community: Community) -> Self {
        let hints = Hints::in_postgres(&pool);
        Self::before_schema(pool, community, hints).await
    }

    pub(crate) async fn migrate(&self) {
        self.store.migrate().await.expect("the schema");
        audit::install(self.pool()).await;
    }

    async fn before_schema(pool: PgPool, community: Community, hints: Hints) -> Self {
        Self {
            devto: Devto::serve(community).await.expect("a simulated dev.to"),
            hints,
            accepted: RefCell::default(),
            database: (*pool.connect_options()).clone(),
            store: Store::new(pool, Clock::System),
            logs: tempfile::tempdir().expect("a directory for logs"),
            launched: Cell::new(0),
        }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        self.store.pool()
    }

    /// A new tenant connects dev.to; its onboarding is asked for, and its message is due.
    pub(crate) async fn connect(&self) -> Connected {
        let token = Uuid::new_v4().to_string();
        let tenant = self.store.add_tenant("acme", &token).await.expect("a tenant").id;
        let new = NewIntegration {
            tenant_id: tenant,
            kind: "devto".to_owned(),
            settings: self.devto.look(everybody),
            units: Vec::new(),
            first_check: None,
            credential_id: None,
            member_attributes: Vec::new(),
        };
        let connected = self.store.connect(&new, RequestedBy::Connect).await.expect("connected");
        let onboarding = connected.requested.run;
        self.accepted.borrow_mut().push(onboarding);
        Connected { integration: connected.integration.id, onboarding, token }
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
            .with("--devto-url", self.devto.url())
            .with("--devto-requests-per-second", "10000")
            .with("--admin-address", "127.0.0.1:0");
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

/// Every organization, and everybody who writes for none: all articles there are.
fn everybody(community: &Community) -> Value {
    let organizations: BTreeSet<_> = community.organizations().map(|o| &o.username).collect();
    let alone = community.articles().filter(|article| article.organization.is_none());
    let users: BTreeSet<_> =
        alone.map(|article| &community.user(article.author).username).collect();
    json!({ "organizations": organizations, "users": users })
}
