//! What a story stands on: a database of its own, a clock that is turned by hand, and one tenant.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use shared::clock::Clock;
use shared::domain::{
    CredentialId, CredentialType, IntegrationId, KnownCredential, Lease, Operation, RawStream,
    RecordLimit, RequestedBy, Run, RunId, RunMode, Stream, TenantId,
};
use shared::store::{
    NewCredential, NewIntegration, NewSecret, Page, PageSource, RecordSpending, Result, Store,
};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

/// How long every lease lasts here.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) tenant: TenantId,
}

impl Ground {
    pub(crate) async fn on(pool: PgPool) -> Self {
        let start: DateTime<Utc> = "2024-05-01T12:00:00Z".parse().unwrap();
        let clock = Clock::standing_at(start);
        let store = Store::new(pool, clock.clone());
        let tenant = store.add_tenant("acme", "a token").await.unwrap().id;
        Self { clock, store, tenant }
    }

    /// The same ground for another customer.
    pub(crate) async fn of_another_tenant(&self) -> Self {
        let tenant = self.store.add_tenant("rival", "another token").await.unwrap().id;
        Self { tenant, ..self.clone() }
    }

    /// A credential that looks as if it were sealed.
    pub(crate) async fn bring(&self) -> KnownCredential {
        let new = NewCredential {
            id: CredentialId::new(),
            tenant_id: self.tenant,
            platform: "toy".into(),
            secret: secret("first"),
        };
        self.store.add_credential(&new, None).await.unwrap()
    }

    /// Connects an integration; its onboarding is pending.
    pub(crate) async fn connect(&self) -> (IntegrationId, RunId) {
        self.connect_by(None).await
    }

    pub(crate) async fn connect_by(
        &self,
        credential_id: Option<CredentialId>,
    ) -> (IntegrationId, RunId) {
        let new = NewIntegration {
            tenant_id: self.tenant,
            kind: "toy".into(),
            settings: json!({}),
            units: Vec::new(),
            first_check: None,
            credential_id,
            member_attributes: Vec::new(),
        };
        let connected = self.store.connect(&new, RequestedBy::Connect).await.unwrap();
        (connected.integration.id, connected.requested.run)
    }

    /// A run of a new integration in a worker's hands, begun and without any stream.
    pub(crate) async fn hold(&self) -> Held {
        let (_, run) = self.connect().await;
        self.claim(run).await
    }

    /// Claims a run that is there to be claimed, and begins it.
    pub(crate) async fn claim(&self, run: RunId) -> Held {
        let claimed = self.store.claim_run(run, "a worker", LEASE).await.unwrap().unwrap();
        self.store.list_streams(claimed.lease, &[], 0).await.unwrap();
        let (lease, tenant) = (claimed.lease, claimed.tenant_id);
        Held { store: self.store.clone(), lease, tenant, integration: claimed.integration_id }
    }

    /// Lets every lease expire that is not kept.
    pub(crate) fn outlive_the_lease(&self) {
        self.clock.advance(LEASE + Duration::from_secs(1));
    }

    pub(crate) async fn run(&self, run: RunId) -> Run {
        self.store.run(run).await.unwrap().expect("the run is there")
    }

    /// What a question of one column of text is answered, line by line.
    pub(crate) async fn lines(&self, question: &'static str) -> Vec<String> {
        sqlx::query_scalar(question).fetch_all(self.store.pool()).await.unwrap()
    }

    pub(crate) async fn execute(&self, statement: &'static str) {
        sqlx::raw_sql(statement).execute(self.store.pool()).await.unwrap();
    }

    /// Everything that is stored, and which transaction wrote it: equal before and after means that
    /// nothing was written in between.
    pub(crate) async fn everything(&self) -> Vec<String> {
        let rows: Vec<String> = TABLES
            .iter()
            .map(|table| format!("select '{table} ' || xmin || ' ' || {table}::text from {table}"))
            .collect();
        let question = AssertSqlSafe(format!("{} order by 1", rows.join(" union all ")));
        sqlx::query_scalar(question).fetch_all(self.store.pool()).await.unwrap()
    }
}

/// What is stored of a secret; these bytes are nobody's.
pub(crate) fn secret(text: &str) -> NewSecret {
    NewSecret {
        kind: CredentialType::Secret,
        sealed: format!("\u{1}\u{2}k1{text:->41}").into_bytes(),
        expires_at: None,
        organization_id: "T1".into(),
        organization_name: "Acme".into(),
        counted_as: None,
    }
}

const TABLES: [&str; 11] = [
    "tenants",
    "integrations",
    "integration_runs",
    "integration_streams",
    "members",
    "member_identities",
    "activities",
    "organizations",
    "member_organizations",
    "quota_ledger",
    "credentials",
];

/// What makes a page count against its kind's limit on records.
pub(crate) fn counted(kind: &str) -> Option<RecordSpending> {
    let limit = RecordLimit { records: 1_000, per: LEASE, onboarding_factor: 1.0 };
    Some(RecordSpending { kind: kind.to_owned(), limit, mode: RunMode::Onboarding })
}

/// A run in a worker's hands.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) store: Store,
    pub(crate) lease: Lease,
    pub(crate) tenant: TenantId,
    pub(crate) integration: IntegrationId,
}

impl Held {
    /// Adds a stream and takes it into processing.
    pub(crate) async fn take(&self) -> PageSource {
        let stream = RawStream { name: "page".into(), payload: json!({"page": Uuid::new_v4()}) };
        self.store.list_streams(self.lease, &[stream], 0).await.unwrap();
        let taken = self.store.take_streams(self.lease, 1, false).await.unwrap();
        self.source(&taken[0])
    }

    pub(crate) fn source(&self, stream: &Stream) -> PageSource {
        let Self { lease, tenant, integration, .. } = *self;
        PageSource { lease, stream: stream.id, tenant, integration }
    }

    /// Commits a page of a stream of its own.
    pub(crate) async fn commit(&self, operations: Vec<Operation>) {
        self.try_commit(operations).await.unwrap();
    }

    pub(crate) async fn try_commit(&self, operations: Vec<Operation>) -> Result<()> {
        let source = self.take().await;
        self.store.commit_page(source, &Page { operations, ..Page::default() }).await
    }
}
