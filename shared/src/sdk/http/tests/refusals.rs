use wiremock::matchers::any;

use super::*;

async fn outcome(answer: ResponseTemplate) -> Result<Answer<Comment>> {
    let (_server, client) = platform(answer).await;
    comment_from(&client).await
}

fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

#[tokio::test]
async fn a_401_or_403_asks_to_reconnect() {
    assert_eq!(
        said(outcome(status(401)).await),
        "unauthorized: GET /comments/7: answered 401 Unauthorized",
    );
    assert_eq!(
        said(outcome(status(403)).await),
        "unauthorized: GET /comments/7: answered 403 Forbidden",
    );
}

#[tokio::test]
async fn a_403_for_a_private_thing_ends_the_stream_and_not_the_run() {
    let (server, client) = platform(status(403)).await;
    let private = client.get("comments/7").forbidden_is_permanent().json::<Comment>().await;
    assert_eq!(said(private), "permanent: GET /comments/7: answered 403 Forbidden");

    server.reset().await;
    Mock::given(any()).respond_with(status(401)).mount(&server).await;
    let rejected = client.get("comments/7").forbidden_is_permanent().json::<Comment>().await;
    assert_eq!(said(rejected), "unauthorized: GET /comments/7: answered 401 Unauthorized");
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
    let Err(SyncError::Permanent(error)) = outcome(status(422)).await else {
        panic!("a 422 is permanent");
    };
    let refused = error.downcast_ref::<Refused>().expect("a refusal");
    assert_eq!(refused.status.as_u16(), 422);
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
