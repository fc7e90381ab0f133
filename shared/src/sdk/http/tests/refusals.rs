use serde_json::json;
use wiremock::matchers::any;

use super::*;
use crate::sdk::{Access, Credential};

async fn outcome(answer: ResponseTemplate) -> Result<Answer<Comment>> {
    let (_server, client) = platform(answer).await;
    comment_from(&client).await
}

fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

#[tokio::test]
async fn a_401_asks_to_reconnect() {
    assert_eq!(
        said(outcome(status(401)).await),
        "unauthorized: GET /comments/7: answered 401 Unauthorized",
    );
}

/// One thing is closed to us; the credential may open all others, of this tenant's integrations
/// and of those that share it.
#[tokio::test]
async fn a_403_ends_the_stream_and_condemns_no_credential() {
    let forbidden =
        || status(403).set_body_json(json!({"message": "Missing Access", "code": 50001}));
    let expected = "permanent: GET /comments/7: answered 403 Forbidden: Missing Access (50001)";
    assert_eq!(said(outcome(forbidden()).await), expected);

    let (server, client) = platform(forbidden()).await;
    let access = Access::with(Credential::Secret { secret: "hunter2".into() });
    let refused = client.get("comments/7").by(&access).json::<Comment>().await;
    assert_eq!(said(refused), expected);
    assert_eq!(server.received_requests().await.expect("they are kept").len(), 1);
}

#[tokio::test]
async fn a_refusal_repeats_the_platforms_words_and_never_the_token() {
    let body = json!({"error": "invalid_token", "error_description": "hunter2 has ended"});
    let (_server, client) = platform(status(401).set_body_json(body)).await;
    let access = Access::with(Credential::Secret { secret: "hunter2".into() });
    let refused = client.get("comments/7").by(&access).json::<Comment>().await;
    assert_eq!(
        said(refused),
        "unauthorized: GET /comments/7: answered 401 Unauthorized: … has ended (invalid_token)",
    );

    let server = MockServer::start().await;
    let body = json!({"error": "invalid_request", "error_description": "spent42 was used before"});
    Mock::given(any()).respond_with(status(400).set_body_json(body)).mount(&server).await;
    let client = client_of(&server.uri());
    let form = [("grant_type", "refresh_token"), ("refresh_token", "spent42")];
    let error = client.post("token").form(&form).json::<Comment>().await.expect_err("a refusal");
    assert_eq!(error.refused().and_then(Refused::code), Some("invalid_request"));
    assert_eq!(
        said::<()>(Err(error)),
        "permanent: POST /token: answered 400 Bad Request: … was used before (invalid_request)",
    );
}

#[tokio::test]
async fn what_a_refusal_means_is_said_before_its_words_and_it_can_still_be_told() {
    let refused = outcome(status(403).set_body_json(json!({"message": "Missing Access"}))).await;
    let error = refused.expect_err("a refusal").meaning("the channel is closed");
    assert_eq!(error.refused().map(|refused| refused.status.as_u16()), Some(403));
    assert_eq!(
        said::<()>(Err(error)),
        "permanent: the channel is closed: GET /comments/7: answered 403 Forbidden: Missing Access",
    );
}

#[tokio::test]
async fn what_is_not_there_is_permanent_or_none_as_the_author_asks() {
    for gone in [404, 410] {
        let (_server, client) = platform(status(gone)).await;
        let error = comment_from(&client).await;
        assert!(matches!(error, Err(SyncError::Permanent(_))), "for {gone}: {error:?}");

        let answer = client.get("comments/7").json_or_none::<Comment>().await;
        assert_eq!(answer.expect("an answer").body, None, "for {gone}");
    }
}

#[tokio::test]
async fn json_or_none_still_fails_where_there_is_something_to_fail() {
    let (_server, client) = platform(status(500)).await;
    let answer = client.get("comments/7").json_or_none::<Comment>().await;
    assert!(matches!(answer, Err(SyncError::Other(_))), "{answer:?}");

    let (_server, client) = platform(status(200).set_body_raw(COMMENT, "application/json")).await;
    let answer = client.get("comments/7").json_or_none::<Comment>().await;
    assert_eq!(answer.expect("an answer").body, Some(ada()));
}

#[tokio::test]
async fn a_429_waits_as_its_headers_say() {
    for (name, value, seconds) in [
        ("Retry-After", "30", 30),
        ("Retry-After", "Wed, 01 May 2024 12:02:00 GMT", 120),
        ("x-rate-limit-reset", "1714565700", 900),
        ("x-ratelimit-reset", "1714564810000", 10),
        ("Retry-After", "soon", 60),
        ("x-unrelated", "1", 60),
    ] {
        let limited = outcome(status(429).insert_header(name, value)).await;
        assert_eq!(retry_after(limited).as_secs(), seconds, "for {name}: {value}");
    }
}

#[tokio::test]
async fn githubs_403_is_a_limit_by_its_headers_or_its_words() {
    let primary = status(403)
        .insert_header("x-ratelimit-remaining", "0")
        .insert_header("x-ratelimit-reset", "1714566000");
    assert_eq!(retry_after(outcome(primary).await).as_secs(), 1200);

    let secondary = status(403).set_body_string("You have exceeded a secondary rate limit.");
    assert_eq!(retry_after(outcome(secondary).await).as_secs(), 60);
}

#[tokio::test]
async fn a_503_that_names_a_time_is_a_limit_and_one_that_does_not_is_a_fault() {
    let busy = status(503).insert_header("retry-after", "20");
    assert_eq!(retry_after(outcome(busy).await).as_secs(), 20);

    assert_eq!(
        said(outcome(status(503)).await),
        "other: GET /comments/7: answered 503 Service Unavailable",
    );
}

#[tokio::test]
async fn a_fault_of_the_server_is_tried_again_and_a_fault_of_ours_is_not() {
    for fault in [408, 425, 500, 502, 504, 599, 304] {
        let answer = outcome(status(fault)).await;
        assert!(matches!(answer, Err(SyncError::Other(_))), "for {fault}: {answer:?}");
    }
    for fault in [400, 402, 405, 422, 451] {
        let answer = outcome(status(fault)).await;
        assert!(matches!(answer, Err(SyncError::Permanent(_))), "for {fault}: {answer:?}");
    }
}

#[tokio::test]
async fn a_caller_can_tell_one_refusal_from_another() {
    let error = outcome(status(422)).await.expect_err("a refusal");
    assert!(matches!(error, SyncError::Permanent(_)), "{error:?}");
    assert_eq!(error.refused().map(|refused| refused.status.as_u16()), Some(422));
}

#[tokio::test]
async fn a_limit_told_in_the_body_waits_as_the_headers_say() {
    let page = || status(200).set_body_raw(COMMENT, "application/json");
    let spent = page()
        .insert_header("x-ratelimit-remaining", "0")
        .insert_header("x-ratelimit-reset", "1714565400");
    let answer = outcome(spent).await.expect("a page");
    assert_eq!(retry_after::<()>(Err(answer.rate_limited())).as_secs(), 600);

    let silent = outcome(page()).await.expect("a page");
    assert_eq!(retry_after::<()>(Err(silent.rate_limited())).as_secs(), 60);
}
