use serde_json::json;
use wiremock::matchers::{
    any, body_json, body_string, header, query_param, query_param_is_missing,
};

use super::*;

/// Answers this request only.
async fn expecting(mock: wiremock::MockBuilder) -> (MockServer, ApiClient) {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(200).set_body_raw(COMMENT, "application/json");
    mock.respond_with(page).expect(1).mount(&server).await;
    let client = client_of(&format!("{}/api/v1/", server.uri()));
    (server, client)
}

#[tokio::test]
async fn paths_are_below_the_base_and_queries_are_escaped() {
    let mock = Mock::given(method("GET"))
        .and(path("/api/v1/guilds/42/messages"))
        .and(query_param("q", "a&b=c"))
        .and(query_param("limit", "100"))
        .and(query_param_is_missing("after"));
    let (_server, client) = expecting(mock).await;

    let request = client.get("/guilds/42/messages").query("q", "a&b=c").query("limit", 100);
    request.query_opt("after", None::<&str>).json::<Comment>().await.expect("a comment");
}

#[tokio::test]
async fn what_a_tenant_typed_stays_one_segment() {
    let mock = Mock::given(path("/api/v1/organizations/..%2Fadmin%3Fx/articles"));
    let (_server, client) = expecting(mock).await;

    let request = client.get("organizations").segment("../admin?x").segment("articles");
    request.json::<Comment>().await.expect("a comment");
}

#[tokio::test]
async fn a_path_that_leads_elsewhere_is_not_asked_for() {
    let client = client_of("http://127.0.0.1:9/api");
    for request in [
        client.get("users/../admin"),
        client.get("users").segment(".."),
        client.get("users").segment(""),
        client.get("users?admin=1"),
    ] {
        let (outcome, requests) = counting_requests(request.json::<Comment>()).await;
        assert!(matches!(outcome, Err(SyncError::Permanent(_))), "{outcome:?}");
        assert_eq!(requests, 0);
    }
}

#[tokio::test]
async fn every_request_says_who_asks_and_what_the_options_add() {
    let agent = format!("millrace/{}", env!("CARGO_PKG_VERSION"));
    let mock = Mock::given(header("user-agent", agent.as_str()))
        .and(header("accept", "application/vnd.forem.api-v1+json"))
        .and(header("x-trace", "1"))
        .and(header("authorization", "Bot hunter2"));
    let (server, _) = expecting(mock).await;
    let headers = &[("accept", "application/vnd.forem.api-v1+json")];
    let options = Options { headers, ..options() };
    let client = ApiClient::with("forum", server.uri(), options).expect("a client");

    let request = client.get("x").header("x-trace", "1").authorization("Bot", &"hunter2".into());
    request.json::<Comment>().await.expect("a comment");
}

#[tokio::test]
async fn a_post_carries_json() {
    let mock = Mock::given(method("POST"))
        .and(path("/api/v1/graphql"))
        .and(header("content-type", "application/json"))
        .and(body_json(json!({"query": "{ viewer }"})));
    let (_server, client) = expecting(mock).await;

    let request = client.post("graphql").body(&json!({"query": "{ viewer }"}));
    request.json::<Comment>().await.expect("a comment");
}

#[tokio::test]
async fn a_post_carries_a_form() {
    let mock = Mock::given(method("POST"))
        .and(header("content-type", "application/x-www-form-urlencoded"))
        .and(body_string("grant_type=refresh_token&refresh_token=a%26b"));
    let (_server, client) = expecting(mock).await;

    let request =
        client.post("token").form(&[("grant_type", "refresh_token"), ("refresh_token", "a&b")]);
    request.json::<Comment>().await.expect("a comment");
}

#[tokio::test]
async fn a_credential_that_fits_no_header_asks_to_reconnect() {
    let client = client_of("http://127.0.0.1:9");
    let outcome =
        client.get("x").authorization("Bearer", &"hunter2\n".into()).json::<Comment>().await;
    assert_eq!(said(outcome), "unauthorized: the credential has characters that fit no header");
}

#[tokio::test]
async fn a_header_that_is_none_is_not_sent() {
    let client = client_of("http://127.0.0.1:9");
    let outcome = client.get("x").header("x-page", "2\n3").json::<Comment>().await;
    assert!(said(outcome).starts_with("permanent: the value of `x-page` fits no header"));

    let options = Options { headers: &[("a b", "1")], ..options() };
    let problem = ApiClient::with("forum", "http://127.0.0.1:9", options).expect_err("no name");
    assert!(format!("{problem:#}").contains(r#""a b" names no header"#), "{problem:#}");
}

#[tokio::test]
async fn a_request_may_be_sent_from_any_task() {
    let (_server, client) =
        platform(ResponseTemplate::new(200).set_body_raw(COMMENT, "application/json")).await;
    let elsewhere = tokio::spawn(async move { comment_from(&client).await });
    assert_eq!(elsewhere.await.expect("no panic").expect("a comment").body, ada());
}

#[tokio::test]
async fn no_error_tells_a_token_a_query_or_a_body() {
    let server = MockServer::start().await;
    for (status, content_type) in [
        (200, "application/json"),
        (200, "text/html"),
        (401, "text/plain"),
        (404, "text/plain"),
        (500, "text/plain"),
    ] {
        let answer =
            ResponseTemplate::new(status).set_body_raw(r#"{"id":"hunter2"}"#, content_type);
        server.reset().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        assert_tells_nothing(&client_of(&server.uri()), status).await;
    }
    assert_tells_nothing(&client_of("http://127.0.0.1:9"), 0).await;
    let silent = socket(|_, stream| async move { drop(stream) }).await;
    assert_tells_nothing(&client_of(&silent), 0).await;
}

async fn assert_tells_nothing(client: &ApiClient, status: u16) {
    let request =
        client.get("x").query("key", "hunter2").authorization("Bearer", &"hunter2".into());
    let error = request.json::<Comment>().await.expect_err("no comment");
    let whole = format!("{error} {error:?}");
    assert!(!whole.contains("hunter2"), "for {status}: {whole}");
}
