//! How these tests ask.

use std::sync::LazyLock;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use sandbox::devto::Devto;
use serde_json::Value;

/// Follows no redirect, waits for ever and connects anew each time, so a fault shows as what it is.
pub(crate) fn client() -> &'static Client {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        rustls::crypto::ring::default_provider().install_default().unwrap();
        let client = Client::builder().redirect(Policy::none()).pool_max_idle_per_host(0);
        client.build().unwrap()
    });
    &CLIENT
}

pub(crate) async fn ask(devto: &Devto, path: &str) -> Response {
    client().get(format!("{}{path}", devto.url())).send().await.unwrap()
}

pub(crate) async fn json(devto: &Devto, path: &str) -> Value {
    let answer = ask(devto, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

/// The status and the error of an answer that is one.
pub(crate) async fn refusal(devto: &Devto, path: &str) -> Value {
    let answer = ask(devto, path).await;
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["status"], status);
    body
}

/// One field of each entry.
pub(crate) fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a Value> {
    list.as_array().unwrap().iter().map(|entry| &entry[field]).collect()
}
