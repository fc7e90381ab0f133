//! The API with a tenant in front of it and a platform behind it.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request};
use chrono::{DateTime, Utc};
use job_generator::api::{Api, openapi, router};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::domain::{IntegrationId, RunId, TenantId};
use shared::keyring::Keyring;
use shared::queue::memory::MemoryQueue;
use shared::queue::{Queue, Received};
use shared::sdk::Registry;
use shared::store::{Claimed, Store};
use shared::vault::Vault;
use sqlx::PgPool;
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::toy::{Club, Forum, Platform};

pub(crate) const TOKEN: &str = "token-of-acme";

/// What the document says of problems.
static DOCUMENTED: LazyLock<String> =
    LazyLock::new(|| openapi().info.description.expect("a description"));

pub(crate) struct Service {
    pub(crate) router: Router,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) vault: Vault,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) tenant: TenantId,
    pub(crate) platform: Arc<Platform>,
    /// Hears of each time the platform is asked.
    pub(crate) asked: mpsc::UnboundedReceiver<String>,
}

impl Service {
    /// At noon, with the tenant `acme`.
    pub(crate) async fn start(pool: PgPool) -> Self {
        Self::start_with(pool, keyring()).await
    }

    pub(crate) async fn start_without_master_keys(pool: PgPool) -> Self {
        Self::start_with(pool, Keyring::default()).await
    }

    async fn start_with(pool: PgPool, keyring: Keyring) -> Self {
        let clock = Clock::standing_at(noon());
        let store = Store::new(pool, clock.clone());
        let tenant = store.add_tenant("acme", TOKEN).await.expect("a tenant").id;
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        let (platform, asked) = Platform::new();
        let registry = Registry::default()
            .with(Forum(platform.clone()))
            .with(Club::<0>(platform.clone()))
            .with(Club::<1>(platform.clone()))
            .with(Club::<2>(platform.clone()));
        let vault = Vault::new(&store, &registry, keyring);
        let router = router(Api {
            store: store.clone(),
            queue: queue.clone(),
            registry,
            vault: vault.clone(),
            tick: Duration::from_secs(60),
        });
        Self { router, store, clock, vault, queue, tenant, platform, asked }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(asking(Method::GET, path, TOKEN, None)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(asking(Method::POST, path, TOKEN, Some(body))).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask(asking(Method::PATCH, path, TOKEN, Some(body))).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask(asking(Method::DELETE, path, TOKEN, None)).await
    }

    pub(crate) async fn post_with_key(&self, path: &str, key: &str, body: Value) -> Answer {
        let mut request = asking(Method::POST, path, TOKEN, Some(body));
        request.headers_mut().insert("idempotency-key", key.parse().expect("a header"));
        self.ask(request).await
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        ask(self.router.clone(), request).await
    }

    /// Another tenant's integration and its run.
    pub(crate) async fn of_another_tenant(&self) -> (String, String) {
        self.store.add_tenant("globex", "token-of-globex").await.expect("a tenant");
        let request =
            asking(Method::POST, "/v1/integrations", "token-of-globex", Some(forum("globex")));
        let connected = self.ask(request).await.expect(201);
        (id_of(&connected["integration"]), id_of(&connected["run"]))
    }

    /// An integration of ours, and the run that onboards it.
    pub(crate) async fn connected(&self) -> (IntegrationId, RunId) {
        let connected = self.post("/v1/integrations", forum("acme")).await.expect(201);
        let (integration, run) = (id_of(&connected["integration"]), id_of(&connected["run"]));
        (integration.parse().expect("an id"), run.parse().expect("an id"))
    }

    /// The messages sent since somebody last asked.
    pub(crate) async fn sent(&self) -> Vec<Received> {
        let sent = self.queue.receive(10, Duration::ZERO).await.expect("a queue in memory");
        for message in &sent {
            self.queue.acknowledge(&message.receipt).await.expect("a queue in memory");
        }
        sent
    }

    /// The run in the hands of a worker, for half a minute.
    pub(crate) async fn claimed(&self, run: RunId) -> Claimed {
        let length = Duration::from_secs(30);
        let claimed = self.store.claim_run(run, "worker-7", length).await;
        claimed.expect("the database").expect("a run to be claimed")
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &'static str) -> i64 {
        let count = sqlx::QueryBuilder::new("select count(*) from ")
            .push(table)
            .build_query_scalar()
            .fetch_one(self.store.pool())
            .await;
        count.expect("a table")
    }
}

pub(crate) async fn ask(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.expect("a router never fails");
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let text = String::from_utf8(body.to_vec()).expect("text");
    Answer { status: head.status.as_u16(), headers: head.headers, text }
}

pub(crate) fn asking(
    method: Method,
    path: &str,
    token: &str,
    body: Option<Value>,
) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(AUTHORIZATION, format!("Bearer {token}"));
    let request = match body {
        Some(body) => {
            request.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
        }
        None => request.body(Body::empty()),
    };
    request.expect("a request")
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// The body of a refusal, which says the same in all the places where it says it.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, name: &str) -> Value {
        let content_type = self.header("content-type").map(str::to_owned);
        let problem = self.expect(status);
        assert_eq!(content_type.as_deref(), Some("application/problem+json"), "{problem}");
        let uri = format!("urn:millrace:problem:{name}");
        assert_eq!(problem["type"], uri, "{problem}");
        assert!(DOCUMENTED.contains(&format!("| `{uri}` | {status} |")), "{name} is documented");
        assert_eq!(problem["status"], status, "{problem}");
        assert!(!text(&problem["title"]).is_empty() && !text(&problem["detail"]).is_empty());
        problem
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

fn keyring() -> Keyring {
    format!("first:{}=", "A".repeat(43)).parse().expect("a master key")
}

pub(crate) fn noon() -> DateTime<Utc> {
    "2024-05-01T12:00:00Z".parse().expect("a time")
}

pub(crate) fn forum(organization: &str) -> Value {
    json!({"kind": "forum", "settings": {"organization": organization}})
}

#[track_caller]
pub(crate) fn text(json: &Value) -> &str {
    json.as_str().unwrap_or_else(|| panic!("no text: {json}"))
}

#[track_caller]
pub(crate) fn id_of(json: &Value) -> String {
    text(&json["id"]).to_owned()
}
