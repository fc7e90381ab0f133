//! How these tests ask.

use std::sync::LazyLock;

use reqwest::{Client, Response};
use sandbox::github::{Github, PERSONAL_TOKEN};
use serde_json::{Value, json};

pub(crate) fn client() -> &'static Client {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        rustls::crypto::ring::default_provider().install_default().unwrap();
        Client::builder().pool_max_idle_per_host(0).build().unwrap()
    });
    &CLIENT
}

pub(crate) async fn ask(github: &Github, query: &str, variables: Value) -> Response {
    let body = json!({ "query": query, "variables": variables });
    let request = client().post(format!("{}/graphql", github.url())).bearer_auth(PERSONAL_TOKEN);
    request.json(&body).send().await.unwrap()
}

pub(crate) async fn answer(github: &Github, query: &str, variables: Value) -> Value {
    let answer = ask(github, query, variables).await;
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

pub(crate) async fn get(github: &Github, path: &str, token: &str) -> (u16, Value) {
    let request = client().get(format!("{}{path}", github.url())).bearer_auth(token);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}
