//! `millrace credentials`

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::domain::CredentialId;
use shared::sdk::{
    CheckSchedule, Connection, CredentialType, Integration, Registry, Result, Run, StreamOutput,
};
use shared::store::Store;
use shared::vault::{Brought, Vault, credential_from_json};
use sqlx::PgPool;

use crate::millrace::Millrace;

const SECRET: &str = "quillwort";

/// A platform that takes whatever it is given.
struct Guestbook;

#[derive(Deserialize)]
struct Settings {}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "stream")]
enum Stream {}

impl Integration for Guestbook {
    const KIND: &'static str = "guestbook";
    const CHECKS: CheckSchedule = CheckSchedule::EveryTick;
    const CREDENTIALS: &'static [CredentialType] = &[CredentialType::Secret];
    type Settings = Settings;
    type State = ();
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        Ok(())
    }

    async fn streams(&self, _: &Run<Self>) -> Result<Vec<Stream>> {
        Ok(Vec::new())
    }

    async fn process_stream(&self, stream: &Stream, _: &Run<Self>) -> Result<StreamOutput<Stream>> {
        match *stream {}
    }
}

/// Stored as a service with these keys would.
async fn bring(pool: &PgPool, master_keys: &str) -> CredentialId {
    let store = Store::new(pool.clone(), Clock::System);
    let tenant = store.add_tenant("acme", &format!("token of {master_keys}")).await.unwrap().id;
    let registry = Registry::default().with(Guestbook);
    let vault = Vault::new(&store, &registry, master_keys.parse().unwrap());
    let json = json!({ "type": "secret", "secret": SECRET });
    let credential = credential_from_json(json).unwrap();
    let brought = Brought { platform: "guestbook".into(), credential };
    vault.add(tenant, brought, None).await.unwrap().id
}

async fn new_key(id: &str) -> String {
    let key = Millrace::at("").run(&["credentials", "new-key", "--id", id]).await.ok();
    key.trim().to_owned()
}

#[tokio::test]
async fn a_new_key_is_what_master_keys_wants_and_another_each_time() {
    let made = Millrace::at("").run(&["credentials", "new-key"]).await;
    assert!(made.stderr.contains("without it, what it seals is lost"), "{}", made.stderr);
    made.ok().parse::<shared::keyring::Keyring>().unwrap();
    assert_ne!(new_key("k").await, new_key("k").await);
    for id in ["two words", "a:b"] {
        let refused = Millrace::at("").run(&["credentials", "new-key", "--id", id]).await;
        assert!(refused.refusal(2).contains("--id: "));
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn credentials_are_listed_without_their_secrets_and_removed(pool: PgPool) {
    let id = bring(&pool, &new_key("k1").await).await;
    let millrace = Millrace::on(&pool);

    let listed: Value = millrace.run(&["credentials", "list", "--json"]).await.json();
    assert_eq!(listed[0]["id"], id.to_string());
    assert_eq!((&listed[0]["type"], &listed[0]["state"]), (&json!("secret"), &json!("valid")));
    let table = millrace.run(&["credentials", "list", "--tenant", "acme"]).await.ok();
    let words = |line: usize| -> Vec<String> {
        table.lines().nth(line).unwrap().split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(words(0)[..3], ["CREDENTIAL", "TENANT", "PLATFORM"]);
    assert_eq!(words(1)[..3], [&id.to_string(), "acme", "guestbook"]);
    let of_slack = millrace.run(&["credentials", "list", "--platform", "slack"]).await.ok();
    assert_eq!(of_slack.lines().count(), 1, "{of_slack}");
    let unknown = millrace.run(&["credentials", "list", "--platform", "x"]).await.refusal(2);
    assert!(unknown.contains("--platform: ") && unknown.contains("known: discord, "), "{unknown}");
    assert!(!format!("{listed}{table}").contains(SECRET));

    millrace.run(&["credentials", "remove", &id.to_string()]).await.ok();
    let refusal = millrace.run(&["credentials", "remove", &id.to_string()]).await.refusal(1);
    assert!(refusal.contains("there is no credential"), "{refusal}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn rotating_seals_everything_again_and_fails_while_a_key_is_missing(pool: PgPool) {
    let (old, new) = (new_key("old").await, new_key("new").await);
    let id = bring(&pool, &old).await;
    let rotate = ["credentials", "rotate"];

    let without = Millrace::on(&pool).with_master_keys(&new).run(&rotate).await.refusal(1);
    assert!(without.contains(&id.to_string()) && without.contains("`old`"), "{without}");
    let nothing = Millrace::on(&pool).run(&rotate).await.refusal(1);
    assert!(nothing.contains("there is no master key"), "{nothing}");

    let both = format!("{new},{old}");
    let rotated = Millrace::on(&pool).with_master_keys(&both).run(&rotate).await.ok();
    assert_eq!(rotated, "1 sealed again\n");
    let alone = Millrace::on(&pool).with_master_keys(&new).run(&rotate).await.ok();
    assert_eq!(alone, "0 sealed again\n");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_secret_comes_from_a_file_and_is_repeated_in_no_refusal(pool: PgPool) {
    let place = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = place.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    Store::new(pool.clone(), Clock::System).add_tenant("acme", "a token").await.unwrap();
    let millrace = Millrace::on(&pool).with_master_keys(&new_key("k1").await);
    let add = ["credentials", "add", "myspace", "--tenant", "acme"];

    let good = file("good", SECRET);
    let unknown = millrace.run(&[&add[..], &["--secret-file", &good]].concat()).await.refusal(1);
    assert!(unknown.contains("no credentials are known for the platform `myspace`"), "{unknown}");
    let bad = file("bad", &format!(r#"{{"type": "secret", "secret": {{"{SECRET}": 1}}}}"#));
    let mistake = millrace.run(&[&add[..], &["--file", &bad]].concat()).await.refusal(2);
    assert!(mistake.contains("--file: must be an object"), "{mistake}");
    let none = millrace.run(&add).await.refusal(2);
    assert!(none.contains("--secret-file"), "{none}");
    let missing = Path::new(&good).with_extension("missing").display().to_string();
    millrace.run(&[&add[..], &["--file", &missing]].concat()).await.refusal(2);
    assert!(!format!("{unknown}{mistake}{none}").contains(SECRET));
}
