//! How these tests ask.

use std::sync::LazyLock;

use reqwest::{Client, Response};
use sandbox::discord::{Discord, TOKEN};
use serde_json::Value;

fn client() -> &'static Client {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        rustls::crypto::ring::default_provider().install_default().unwrap();
        Client::builder().no_proxy().build().unwrap()
    });
    &CLIENT
}

pub(crate) async fn ask(discord: &Discord, path: &str) -> Response {
    ask_as(discord, path, &format!("Bot {TOKEN}")).await
}

pub(crate) async fn ask_as(discord: &Discord, path: &str, authorization: &str) -> Response {
    let request = client().get(format!("{}{path}", discord.url()));
    request.header("authorization", authorization).send().await.unwrap()
}

pub(crate) async fn json(discord: &Discord, path: &str) -> Value {
    let answer = ask(discord, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

/// The status and the code of an answer that is an error.
pub(crate) async fn refusal(discord: &Discord, path: &str) -> (u16, u64) {
    let answer = ask(discord, path).await;
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    (status, body["code"].as_u64().unwrap())
}

/// The ids of a list.
pub(crate) fn ids(list: &Value) -> Vec<u64> {
    let id = |entry: &Value| entry["id"].as_str().unwrap().parse().unwrap();
    list.as_array().unwrap().iter().map(id).collect()
}
