use wiremock::matchers::{any, header, query_param};

use super::*;

fn redirect(status: u16, to: impl AsRef<str>) -> ResponseTemplate {
    ResponseTemplate::new(status).insert_header("location", to.as_ref())
}

/// Another host, as far as a client is concerned, that must not hear of us.
async fn stranger() -> MockServer {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(200).set_body_raw(COMMENT, "application/json");
    Mock::given(any()).respond_with(page).expect(0).mount(&server).await;
    server
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed_with_its_credential() {
    let (server, client) = platform(redirect(301, "/comments/8")).await;
    Mock::given(path("comments/8"))
        .and(header("authorization", "Bearer hunter2"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(COMMENT, "application/json"))
        .mount(&server)
        .await;
    let moved =
        client.get("comments/7").authorization("Bearer", &"hunter2".into()).json::<Comment>();
    let (outcome, requests) = counting_requests(moved).await;

    assert_eq!(outcome.expect("a comment").body, ada());
    assert_eq!(requests, 2, "the platform counts both");
}

#[tokio::test]
async fn a_redirect_to_another_host_is_refused_for_good_or_for_now() {
    let stranger = stranger().await;
    let (theirs, target) = (stranger.uri(), format!("{}/x?token=hunter2", stranger.uri()));
    for (status, class) in [(301, "permanent"), (308, "permanent"), (302, "other"), (307, "other")]
    {
        let (server, client) = platform(redirect(status, &target)).await;
        let said = said(comment_from(&client).await);
        let ours = server.uri();
        assert!(said.starts_with(class), "for {status}: {said}");
        let expected = format!("redirected to another host: {theirs} instead of {ours}");
        assert!(said.ends_with(&expected), "for {status}: {said}");
    }
}

#[tokio::test]
async fn a_redirect_in_a_circle_is_left_after_three() {
    let (_server, client) = platform(redirect(302, "/comments/7")).await;
    let (outcome, requests) = counting_requests(comment_from(&client)).await;

    let said = said(outcome);
    assert!(said.starts_with("other: ") && said.ends_with("more than 3 times"), "{said}");
    assert_eq!(requests, 4);
}

#[tokio::test]
async fn a_next_page_link_on_our_host_is_followed() {
    let server = MockServer::start().await;
    Mock::given(path("/api/comments"))
        .and(query_param("page", "2"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(COMMENT, "application/json"))
        .expect(2)
        .mount(&server)
        .await;
    let client = client_of(&format!("{}/api", server.uri()));

    let whole = format!("{}/api/comments?page=2", server.uri());
    for link in [whole.as_str(), "/api/comments?page=2"] {
        let answer = client.follow(link).json::<Comment>().await;
        assert_eq!(answer.expect("a comment").body, ada(), "following {link}");
    }
}

#[tokio::test]
async fn a_next_page_link_to_another_host_port_or_scheme_is_refused() {
    let stranger = stranger().await;
    let client = client_of("http://127.0.0.1:9/api");
    for (link, theirs) in [
        (format!("{}/api?token=hunter2", stranger.uri()), stranger.uri()),
        ("http://127.0.0.2:9/api".into(), "http://127.0.0.2:9".into()),
        ("https://127.0.0.1:9/api".into(), "https://127.0.0.1:9".into()),
        ("//evil.example/api".into(), "http://evil.example".into()),
        ("http://127.0.0.1:9@evil.example/api".into(), "http://evil.example".into()),
        ("file:///etc/passwd".into(), "null".into()),
    ] {
        let (outcome, requests) = counting_requests(client.follow(&link).json::<Comment>()).await;
        assert_eq!(
            said(outcome),
            format!(
                "permanent: a next-page link leads to another host: \
                 {theirs} instead of http://127.0.0.1:9"
            ),
            "following {link}",
        );
        assert_eq!(requests, 0, "following {link}");
    }
}

#[tokio::test]
async fn a_next_page_link_that_is_none_is_refused() {
    let client = client_of("http://127.0.0.1:9/api");
    for link in ["", "page/2", "?page=2", "http://", "http://eve:pw@127.0.0.1:9/api"] {
        let outcome = client.follow(link).json::<Comment>().await;
        assert!(matches!(outcome, Err(SyncError::Permanent(_))), "following {link:?}: {outcome:?}");
    }
}

#[test]
fn a_client_of_a_platform_behind_tls_can_be_built() {
    ApiClient::new("devto", "https://dev.to").expect("a client");
}

#[test]
fn there_is_no_client_without_a_base_url() {
    for (base, problem) in [
        ("", "the base URL is not a URL"),
        ("dev.to/api", "the base URL is not a URL"),
        ("ftp://dev.to", "the base URL is neither http nor https"),
        ("https://eve:pw@dev.to", "the base URL carries a user or a password"),
        ("https://dev.to/api?key=1", "the base URL carries a query"),
    ] {
        let refused = ApiClient::new("devto", base).expect_err(base);
        assert_eq!(refused.to_string(), problem, "for {base:?}");
    }
}
