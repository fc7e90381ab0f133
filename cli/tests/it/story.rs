//! What a tenant and a worker would have done, straight through the store.

use std::time::Duration;

use serde_json::json;
use shared::clock::Clock;
use shared::domain::{
    Identity, Integration, Lease, Member, Operation, RawStream, RequestedBy, RunId, Stream,
    StreamId, StreamState,
};
use shared::store::{NewIntegration, Page, PageSource, Store, StreamSetback, Tenant};
use sqlx::PgPool;

/// A tenant with an integration of dev.to whose onboarding waits for a worker.
pub(crate) struct Story {
    pub(crate) store: Store,
    pub(crate) tenant: Tenant,
    pub(crate) integration: Integration,
    pub(crate) run: RunId,
}

impl Story {
    pub(crate) async fn begin(pool: PgPool) -> Self {
        let store = Store::new(pool, Clock::System);
        let tenant = store.add_tenant("acme", "the token of acme").await.unwrap();
        Self::of(store, tenant).await
    }

    /// One more integration of a tenant.
    pub(crate) async fn of(store: Store, tenant: Tenant) -> Self {
        let new = NewIntegration {
            tenant_id: tenant.id,
            kind: "devto".into(),
            settings: json!({ "users": ["ada"] }),
            units: Vec::new(),
            first_check: None,
            credential_id: None,
            member_attributes: Vec::new(),
        };
        let connected = store.connect(&new, RequestedBy::Cli).await.unwrap();
        let run = connected.requested.run;
        Self { store, tenant, integration: connected.integration, run }
    }

    /// Claims the run, for a length that no test outlasts.
    pub(crate) async fn claim(&self) -> Lease {
        let claimed = self.store.claim_run(self.run, "worker-7", Duration::from_secs(600)).await;
        claimed.unwrap().expect("it is there to be claimed").lease
    }

    /// Claims the run and stores its first streams, one for each article.
    pub(crate) async fn list(&self, articles: &[u32]) -> Lease {
        let lease = self.claim().await;
        let streams: Vec<_> = articles.iter().map(|article| comments(*article)).collect();
        self.store.list_streams(lease, &streams, 2).await.unwrap();
        lease
    }

    pub(crate) async fn take(&self, lease: Lease) -> Stream {
        let taken = self.store.take_streams(lease, 1, false).await.unwrap();
        taken.into_iter().next().expect("a stream is due")
    }

    /// Takes the next stream and commits a page of so many members.
    pub(crate) async fn step(&self, lease: Lease, members: usize) {
        let stream = self.take(lease).await;
        let member = |number| {
            let username = format!("{}-{number}", stream.id);
            let platform = "devto".into();
            Member::of(Identity { platform, username, source_id: None })
        };
        let page = Page {
            operations: vec![Operation::UpsertMembers((0..members).map(member).collect())],
            requests: 1,
            ..Page::default()
        };
        let source = PageSource {
            lease,
            stream: stream.id,
            tenant: self.tenant.id,
            integration: self.integration.id,
        };
        self.store.commit_page(source, &page).await.unwrap();
    }

    /// Takes the next stream and gives it up.
    pub(crate) async fn give_up(&self, lease: Lease, error: &str) -> Stream {
        let stream = self.take(lease).await;
        let never = StreamSetback::Never { error: error.into() };
        self.store.set_back(lease, stream.id, &never, 3).await.unwrap();
        stream
    }

    /// One stream processed, one given up.
    pub(crate) async fn end_with_a_hole(&self) {
        let lease = self.list(&[1, 2]).await;
        self.step(lease, 1).await;
        self.give_up(lease, "404 Not Found").await;
        self.finish(lease).await;
    }

    /// The run's streams in this state.
    pub(crate) async fn streams(&self, state: StreamState) -> Vec<StreamId> {
        let streams = self.store.streams(self.run, Some(state), None, 10).await.unwrap();
        streams.iter().map(|stream| stream.id).collect()
    }

    pub(crate) async fn finish(&self, lease: Lease) {
        self.store.finish_run(lease, None, 0).await.unwrap();
    }
}

fn comments(article: u32) -> RawStream {
    RawStream {
        name: "comments".into(),
        payload: json!({ "stream": "comments", "article": article }),
    }
}
