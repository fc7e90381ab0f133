//! A whole life with the credentials of all six platforms, and not a word of them anywhere: not in
//! the database, in what was ever written to it, in the queue, in the API's answers, or in the logs.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use sandbox::{discord, github, slack};
use serde_json::{Value, json};
use shared::domain::CredentialState;
use sqlx::{AssertSqlSafe, PgPool};

use crate::harness::{MASTER_KEYS, Stage, Stopwatch, http, until};

const SOON: Duration = Duration::from_secs(30);

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn no_secret_of_any_platform_is_told_in_a_whole_life(pool: PgPool) {
    let mut watch = Stopwatch::start();
    let stage = Stage::set_mixed(pool).await;
    keep_messages(&stage).await;
    let generator = stage.generator().loudly().start().await;
    let worker = stage.worker().loudly().start().await;
    let (_, token) = stage.add_tenant().await;
    let mut office = Office { api: generator.until_api().await, token, answers: Vec::new() };

    office.connect_everything(&stage).await;
    stage.until_at_rest().await;
    watch.part("onboarding");
    let mix = stage.mix.as_ref().expect("a mix");
    mix.x.twitter.expire_access_tokens();
    mix.github.end_tokens();
    stage.check_again().await;
    watch.part("a check, after every token has ended");
    refuse(&stage).await;
    office.look_at_everything().await;

    let written = rows(&stage, "public").await + &rows(&stage, "faults").await;
    let logs = worker.printed() + &generator.printed();
    for table in ["credentials", "integration_streams", "idempotency_keys", "messages", "writes"] {
        assert!(written.contains(&format!("{table} (")), "nothing is in {table}");
    }
    assert!(logs.contains(r#""level":"DEBUG""#), "the logs are not loud");
    watch.part("a refusal, and a look at everything");
    let answers = office.answers.join("\n");
    for secret in secrets(&stage, &office.token) {
        for said in ways_to_say(&secret) {
            untold("the database", &written, &said);
            untold("a log", &logs, &said);
            untold("an answer", &answers, &said);
        }
    }
    watch.part(&format!("{} MB searched", (written.len() + logs.len()) >> 20));
}

/// Notes every message, since those that are done are gone.
async fn keep_messages(stage: &Stage) {
    let keep = "create table faults.messages (message jsonb not null);
        create function faults.keep_message() returns trigger language plpgsql as $$
        begin
            insert into faults.messages values (to_jsonb(new));
            return null;
        end $$;
        create trigger kept after insert on queue_messages
        for each row execute function faults.keep_message()";
    sqlx::raw_sql(keep).execute(stage.pool()).await.expect("they are kept");
}

/// X takes back what was granted, in the middle of everything.
async fn refuse(stage: &Stage) {
    let x = &stage.mix.as_ref().expect("a mix").x;
    x.twitter.revoke(x.acme);
    stage.people_write_and_checks_are_asked_for().await;
    until("the refusal", SOON, async || {
        let mut known = stage.credentials().await.into_iter();
        known.find(|known| known.state == CredentialState::Revoked)
    })
    .await;
    stage.until_quiet().await;
}

/// A tenant at the HTTP API, and everything it was answered.
struct Office {
    api: SocketAddr,
    token: String,
    answers: Vec<String>,
}

impl Office {
    async fn connect_everything(&mut self, stage: &Stage) {
        let mut brought = Value::Null;
        for platform in &stage.platforms {
            if let Some(credential) = platform.credential() {
                brought = self.bring(platform.platform(), &credential).await;
            }
            let mut wanted = json!({ "kind": platform.kind(), "settings": platform.settings() });
            if platform.kind() != "devto" {
                wanted["credential_id"] = brought.clone();
            }
            let (status, found) = self.ask(Method::POST, "/integrations/discover", &wanted).await;
            assert_eq!(status, 202, "{found}");
            let (status, made) = self.ask(Method::POST, "/integrations", &wanted).await;
            assert_eq!(status, 201, "{made}");
            let id = |path: &str| made.pointer(path).and_then(Value::as_str).expect("an id");
            let (integration, run) = (id("/integration/id"), id("/run/id"));
            let (integration, run) = (integration.parse(), run.parse());
            stage.connected_as(
                platform.kind(),
                integration.expect("an id"),
                run.expect("an id"),
                &self.token,
            );
        }
    }

    /// And in two wrong ways, which are refused without being quoted.
    async fn bring(&mut self, platform: &str, credential: &Value) -> Value {
        let wanted = json!({ "platform": platform, "credential": credential });
        let (status, added) = self.ask(Method::POST, "/credentials", &wanted).await;
        assert_eq!(status, 201, "{added}");
        let mut unknown = credential.clone();
        unknown["of_no_use"] = credential.clone();
        for wrong in [json!(credential.to_string()), unknown] {
            let wanted = json!({ "platform": platform, "credential": wrong });
            let (status, refused) = self.ask(Method::POST, "/credentials", &wanted).await;
            assert!((400..500).contains(&status), "{status} {refused}");
        }
        added["id"].clone()
    }

    async fn look_at_everything(&mut self) {
        let mut paths = vec!["/credentials".to_owned()];
        for list in ["/credentials", "/integrations", "/runs"] {
            let (status, page) = self.ask(Method::GET, list, &Value::Null).await;
            assert_eq!(status, 200, "{list}: {page}");
            let rows = page["data"].as_array().expect("a page").iter();
            let ids = rows.map(|row| row["id"].as_str().expect("an id").to_owned());
            for id in ids {
                paths.push(format!("{list}/{id}"));
                if list == "/runs" {
                    paths.push(format!("{list}/{id}/streams"));
                    paths.push(format!("{list}/{id}/explain"));
                }
            }
        }
        for path in paths {
            let (status, answer) = self.ask(Method::GET, &path, &Value::Null).await;
            assert_eq!(status, 200, "{path}: {answer}");
        }
    }

    async fn ask(&mut self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let request = http().request(method, format!("http://{}/v1{path}", self.api));
        let key = format!("{path} {}", self.answers.len());
        let request = request.bearer_auth(&self.token).header("idempotency-key", key);
        let answer = request.json(body).send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), format!("{:?}", answer.headers()));
        let text = answer.text().await.expect("a text");
        self.answers.push(format!("{headers} {text}"));
        (status, serde_json::from_str(&text).unwrap_or_default())
    }
}

/// Every row of every table of a schema, as text.
async fn rows(stage: &Stage, schema: &str) -> String {
    let tables = sqlx::query_scalar(
        "select table_name::text from information_schema.tables where table_schema = $1",
    );
    let tables: Vec<String> =
        tables.bind(schema).fetch_all(stage.pool()).await.expect("the tables");
    let mut rows = Vec::new();
    for table in tables {
        let all = AssertSqlSafe(format!("select '{table} ' || t::text from {schema}.{table} t"));
        let all = sqlx::query_scalar::<_, String>(all).fetch_all(stage.pool());
        rows.extend(all.await.expect("the rows"));
    }
    rows.join("\n")
}

/// Everything that nobody may be told, what was shown and given on the way included.
fn secrets(stage: &Stage, tenants_token: &str) -> BTreeSet<String> {
    let mix = stage.mix.as_ref().expect("a mix");
    let app = &mix.x.app;
    let client_secret = app.client_secret.clone().expect("it has one");
    let as_basic = STANDARD.encode(format!("{}:{client_secret}", app.client_id));
    let given: Vec<_> = mix.x.twitter.tokens_given();
    assert!(given.len() >= 2, "X gave {} pairs, none is renewed", given.len());
    let of_x = given.into_iter().flat_map(|pair| [pair.access_token, pair.refresh_token]);
    let shown = mix.github.tokens_shown();
    let claims = shown.iter().filter(|token| token.starts_with("eyJ")).count();
    let tokens = shown.iter().filter(|token| token.starts_with("ghs_")).count();
    assert!(claims >= 2 && tokens >= 2, "GitHub was shown {claims} claims, {tokens} tokens");
    let signatures: Vec<_> =
        shown.iter().filter_map(|claim| Some(claim.rsplit_once('.')?.1.to_owned())).collect();
    let key = github::PRIVATE_KEY.lines().filter(|line| !line.starts_with('-'));
    let (_, master_key) = MASTER_KEYS.split_once(':').expect("an id and a key");
    [discord::TOKEN, slack::TOKEN, &client_secret, &as_basic, master_key, tenants_token]
        .into_iter()
        .chain(key)
        .map(str::to_owned)
        .chain(of_x)
        .chain(signatures)
        .chain(shown)
        .collect()
}

/// In plain text, as PostgreSQL shows bytes, and in base64.
fn ways_to_say(secret: &str) -> [String; 3] {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    [secret.to_owned(), hex, STANDARD.encode(secret)]
}

fn untold(place: &str, text: &str, secret: &str) {
    let Some(at) = text.find(secret) else { return };
    let begin = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let line = text[begin..].lines().next().unwrap_or_default();
    panic!("{place} tells {secret}: {line}");
}
