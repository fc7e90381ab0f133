//! The site's answers in `fixtures` are written after real ones.

mod checks;
mod community;
mod faults;
mod lists;
mod onboarding;
mod settings;
mod shapes;
mod stored;
mod trees;

use insta::assert_snapshot;
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate, Times};

use super::*;
use crate::sdk::SyncError;
use crate::sdk::testing::{Ending, Examination, Rehearsal};

const ARTICLES: &str = include_str!("fixtures/articles.json");
const COMMENTS: &str = include_str!("fixtures/comments.json");
const USER: &str = include_str!("fixtures/user.json");
const ORGANIZATION: &str = include_str!("fixtures/organization.json");

/// A site that answers only what was mounted, each as often as a test says.
struct Forem(MockServer);

impl Forem {
    async fn start() -> Self {
        Self(MockServer::start().await)
    }

    async fn answers(&self, of: &str, query: &[(&str, &str)], body: Value) {
        self.answers_with(of, query, ok(body), 1).await;
    }

    async fn answers_with(
        &self,
        of: &str,
        query: &[(&str, &str)],
        answer: ResponseTemplate,
        times: impl Into<Times>,
    ) {
        let mut mock = Mock::given(method("GET")).and(path(of));
        for (name, value) in query {
            mock = mock.and(query_param(*name, *value));
        }
        mock.respond_with(answer).expect(times).mount(&self.0).await;
    }

    /// Articles of the organization `acme` on this page.
    async fn lists(&self, page: &str, articles: Value) {
        self.answers("/api/organizations/acme/articles", &[("page", page)], articles).await;
    }

    async fn discusses(&self, article: &str, comments: Value) {
        self.answers("/api/comments", &[("a_id", article)], comments).await;
    }

    async fn shows(&self, user_id: u64, username: &str) {
        let profile = json!({"id": user_id, "username": username, "name": username});
        self.answers(&format!("/api/users/{user_id}"), &[], profile).await;
    }

    /// An onboarding of the organization `acme`.
    fn rehearsal(&self) -> Rehearsal {
        Rehearsal::of(self.devto()).settings(json!({"organizations": ["acme"]}))
    }

    fn devto(&self) -> Devto {
        Devto::at(&self.0.uri()).expect("an integration")
    }
}

fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

/// Commented upon so often, for the last time at this hour of the 20th of April.
fn article(id: u64, comments_count: u32, hour: u32) -> Value {
    json!({
        "id": id, "title": format!("Article {id}"), "url": format!("https://dev.to/acme/{id}"),
        "comments_count": comments_count, "last_comment_at": at(hour),
    })
}

fn comment(id_code: &str, user_id: u64, hour: u32, children: Value) -> Value {
    json!({
        "id_code": id_code, "created_at": at(hour), "body_html": format!("<p>{id_code}</p>"),
        "user": {"username": format!("user{user_id}"), "user_id": user_id, "name": null},
        "children": children,
    })
}

fn deleted(id_code: &str, hour: u32, children: Value) -> Value {
    json!({
        "id_code": id_code, "created_at": at(hour), "body_html": "<p>[deleted]</p>",
        "user": {}, "children": children,
    })
}

fn at(hour: u32) -> String {
    format!("2024-04-20T{hour:02}:00:00Z")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test]
async fn it_passes_the_examination() {
    let site = Forem::start().await;
    let any = 1..;
    site.answers_with(
        "/api/organizations/acme/articles",
        &[("page", "1")],
        ok(json(ARTICLES)),
        any.clone(),
    )
    .await;
    site.answers_with(
        "/api/organizations/acme/articles",
        &[("page", "2")],
        ok(json!([])),
        any.clone(),
    )
    .await;
    site.answers_with("/api/comments", &[("a_id", "1890771")], ok(json(COMMENTS)), any.clone())
        .await;
    site.answers_with("/api/users/8001", &[], ok(json(USER)), any.clone()).await;
    site.answers_with("/api/users/7001", &[], status(404), any).await;

    Examination::of(Devto::with, site.0.uri())
        .settings(json!({"organizations": ["acme"]}))
        .sit()
        .await;
}
