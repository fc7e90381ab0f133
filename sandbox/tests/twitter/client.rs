//! How these tests ask.

use std::sync::LazyLock;

use reqwest::{Client, Response, StatusCode};
use sandbox::twitter::{App, Community, SCOPES, Tokens, Twitter, UserId};
use serde_json::Value;

/// Connects anew each time, so that tests share nothing.
pub(crate) fn client() -> &'static Client {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        rustls::crypto::ring::default_provider().install_default().unwrap();
        Client::builder().pool_max_idle_per_host(0).build().unwrap()
    });
    &CLIENT
}

pub(crate) fn app() -> App {
    App { client_id: "an-app".to_owned(), client_secret: Some("its-secret".to_owned()) }
}

/// A simulated X, and somebody who may ask it everything.
pub(crate) struct Asking {
    pub(crate) x: Twitter,
    pub(crate) tokens: Tokens,
}

impl Asking {
    pub(crate) async fn of(community: Community, user: UserId) -> Self {
        let x = Twitter::serve(community).await.unwrap();
        x.set_token_lifetime(chrono::TimeDelta::days(1_000));
        let tokens = x.grant(&app(), user, SCOPES);
        Self { x, tokens }
    }

    pub(crate) async fn ask(&self, path: &str) -> Response {
        ask_as(&self.x, &self.tokens.access_token, path).await
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.ask(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    /// Every page of a list, by the token of the one before.
    pub(crate) async fn pages(&self, path: &str, token: &str) -> Vec<Value> {
        let mut pages = vec![self.json(path).await];
        while let Some(next) = pages.last().unwrap()["meta"]["next_token"].as_str() {
            let next = self.json(&format!("{path}&{token}={next}")).await;
            pages.push(next);
        }
        pages
    }

    /// The sentence of a refusal.
    pub(crate) async fn refusal(&self, path: &str) -> String {
        let answer = self.ask(path).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["title"], "Invalid Request");
        body["errors"][0]["message"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn ask_as(x: &Twitter, token: &str, path: &str) -> Response {
    client().get(format!("{}{path}", x.url())).bearer_auth(token).send().await.unwrap()
}

/// One field of each entry of a list.
pub(crate) fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let entries = list.as_array().map_or(&[][..], Vec::as_slice);
    entries.iter().map(|entry| entry[field].as_str().unwrap()).collect()
}
