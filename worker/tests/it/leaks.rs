//! A whole life with credentials, and not a word of them anywhere: not in the database, the logs, the
//! API's answers, or the queue.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use job_generator::api::{Api, router};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use shared::domain::{RunId, RunState};
use shared::sdk::Registry;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::desk::{Desk, HIDDEN};
use crate::log::Log;
use crate::stage::Stage;

/// The API, and everything it has answered.
struct Office {
    url: String,
    client: Client,
    answers: Vec<String>,
    server: JoinHandle<()>,
}

impl Office {
    async fn open(stage: &Stage) -> Self {
        let worker = &stage.worker;
        let api = Api {
            store: worker.store.clone(),
            queue: worker.queue.clone(),
            registry: worker.registry.clone(),
            vault: worker.vault.clone(),
            tick: Duration::from_secs(60),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async { axum::serve(listener, router(api)).await.unwrap() });
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { url, client, answers: Vec::new(), server }
    }

    async fn ask(&mut self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = self.client.request(method, format!("{}/v1{path}", self.url));
        let request = request.bearer_auth("a token").header("idempotency-key", path);
        let answer = request.json(&body).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), format!("{:?}", answer.headers()));
        let text = answer.text().await.unwrap();
        self.answers.push(format!("{headers} {text}"));
        (status, serde_json::from_str(&text).unwrap_or_default())
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Every row of every table, as text.
async fn database(stage: &Stage) -> String {
    let pool = stage.store.pool();
    let tables =
        "select table_name::text from information_schema.tables where table_schema = 'public'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(pool).await.unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let all = AssertSqlSafe(format!("select '{table} ' || t::text from {table} t"));
        rows.extend(sqlx::query_scalar::<_, String>(all).fetch_all(pool).await.unwrap());
    }
    rows.join("\n")
}

/// In plain text, as PostgreSQL shows bytes, and in base64.
fn ways_to_say(secret: &str) -> [String; 3] {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    [secret.to_owned(), hex, STANDARD.encode(secret)]
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn no_secret_is_told_in_a_whole_life(pool: PgPool) {
    let log = Log::default();
    let _logging = log.begin();
    let desk = Desk::open().await;
    let stage = Stage::set(pool, Registry::default().with(desk.integration())).await;
    let mut office = Office::open(&stage).await;
    let mut queue: Vec<String> = Vec::new();

    // Brought; wrongly, too.
    let credential = desk.granted();
    let wanted = json!({ "platform": "desk", "credential": credential });
    let (status, added) = office.ask(Method::POST, "/credentials", wanted).await;
    assert_eq!(status, 201, "{added}");
    for wrong in [json!(credential["access_token"]), json!({ "type": credential["access_token"] })]
    {
        let wanted = json!({ "platform": "desk", "credential": wrong });
        let own = format!("/credentials/{}", added["id"].as_str().unwrap());
        assert_eq!(office.ask(Method::PATCH, &own, wanted).await.0, 422);
    }

    // Used, renewed, used.
    desk.end_token();
    let wanted = json!({ "kind": "desk", "settings": {}, "credential_id": added["id"] });
    let (status, connected) = office.ask(Method::POST, "/integrations", wanted).await;
    assert_eq!(status, 201, "{connected}");
    desk.end_token();
    queue.extend(stage.queue.bodies());
    let run: RunId = connected["run"]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);

    // Refused, in the middle of a check.
    let integration = connected["integration"]["id"].as_str().unwrap().to_owned();
    stage.post(&json!({"type": "integration_process", "integrationId": integration})).await;
    queue.extend(stage.queue.bodies());
    desk.revoke();
    stage.deliver().await;
    queue.extend(stage.queue.bodies());
    stage.work().await;

    // Looked at.
    for path in [
        "/credentials".to_owned(),
        format!("/credentials/{}", added["id"].as_str().unwrap()),
        "/integrations".to_owned(),
        format!("/integrations/{integration}"),
        "/runs".to_owned(),
        format!("/runs/{run}"),
        format!("/runs/{run}/streams"),
        format!("/runs/{run}/explain"),
    ] {
        let (status, answer) = office.ask(Method::GET, &path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {answer}");
    }
    let needs = &office.ask(Method::GET, "/credentials", Value::Null).await.1["data"][0];
    assert_eq!(needs["state"], "revoked", "{needs}");

    let (rows, log) = (database(&stage).await, log.text());
    let used = desk.received().await.join("\n");
    for secret in ["access-0", "access-1", "access-2", "refresh-0", "refresh-1", "refresh-2"] {
        assert!(used.contains(&format!("{HIDDEN}{secret}")), "{secret} was never used");
    }
    assert!(rows.contains("credentials (") && rows.contains("integration_streams ("));
    assert!(log.contains("TRACE") && queue.len() >= 2);
    for said in ways_to_say(HIDDEN.trim_end_matches('-')) {
        for (place, text) in [
            ("the database", &rows),
            ("the log", &log),
            ("an answer", &office.answers.join("\n")),
            ("the queue", &queue.join("\n")),
        ] {
            let lines: Vec<_> = text.lines().filter(|line| line.contains(&said)).collect();
            assert!(lines.is_empty(), "{place} tells a secret: {lines:#?}");
        }
    }
}
