use tokio::net::TcpSocket;

use super::*;

fn with_idle_timeout(base: &str) -> ApiClient {
    let options = Options { idle_timeout: Duration::from_millis(100), ..options() };
    ApiClient::with("forum", base, options).expect("a client")
}

/// Long before the total timeout.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("an end within 20 s")
}

fn with_total_timeout(base: &str) -> ApiClient {
    let options = Options { total_timeout: Duration::from_millis(300), ..options() };
    ApiClient::with("forum", base, options).expect("a client")
}

async fn answer(mut stream: TcpStream) {
    let lines = format!("content-length: {}", COMMENT.len());
    say(&mut stream, head(&lines) + COMMENT).await;
}

/// Ends the connection by a reset instead of a farewell.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().expect("an open socket");
}

/// The platform's first connection is reset after it has read the request.
pub(super) async fn platform_that_resets_once() -> String {
    socket(|connection, stream| async move {
        match connection {
            0 => reset(stream),
            _ => answer(stream).await,
        }
    })
    .await
}

#[tokio::test]
async fn a_socket_that_hangs_is_left_after_the_idle_timeout() {
    let address = socket(|_, stream| fall_silent(stream)).await;
    let client = with_idle_timeout(&address);
    let (outcome, requests) = soon(counting_requests(comment_from(&client))).await;

    let said = said(outcome);
    assert!(said.starts_with("other: GET /comments/7: waited in vain for an answer"), "{said}");
    assert_eq!(requests, 1, "a timeout is not tried again here");
}

#[tokio::test]
async fn an_answer_that_hangs_in_the_middle_is_left_after_the_idle_timeout() {
    let address = socket(|_, mut stream| async move {
        say(&mut stream, head("content-length: 100")).await;
        say(&mut stream, &COMMENT[..10]).await;
        fall_silent(stream).await;
    })
    .await;
    let client = with_idle_timeout(&address);
    let (outcome, requests) = soon(counting_requests(comment_from(&client))).await;

    let said = said(outcome);
    assert!(said.starts_with("other: GET /comments/7: the answer broke off"), "{said}");
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_byte_at_a_time_is_left_after_the_total_timeout() {
    let address = socket(|_, mut stream| async move {
        say(&mut stream, head("content-length: 4000")).await;
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        while stream.write_all(b" ").await.is_ok() {
            pace.tick().await;
        }
    })
    .await;
    let said = said(comment_from(&with_total_timeout(&address)).await);
    assert!(said.starts_with("other: GET /comments/7: the answer broke off"), "{said}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_tried_again_by_the_stream_and_not_here() {
    let address = socket(|_, mut stream| async move {
        say(&mut stream, head("content-length: 100")).await;
        say(&mut stream, &COMMENT[..10]).await;
    })
    .await;
    let (outcome, requests) = counting_requests(comment_from(&client_of(&address))).await;

    let said = said(outcome);
    assert!(said.starts_with("other: GET /comments/7: the answer broke off"), "{said}");
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_connection_reset_before_the_answer_is_tried_again() {
    let client = client_of(&platform_that_resets_once().await);
    let (outcome, requests) = counting_requests(comment_from(&client)).await;

    assert_eq!(outcome.expect("the second answer").body, ada());
    assert_eq!(requests, 2);
}

#[tokio::test]
async fn a_connection_closed_without_a_word_is_tried_again_twice() {
    let client = client_of(&socket(|_, stream| async move { drop(stream) }).await);
    let (outcome, requests) = counting_requests(comment_from(&client)).await;

    let said = said(outcome);
    assert!(said.starts_with("other: GET /comments/7: no answer"), "{said}");
    assert_eq!(requests, 3);
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_twice_even_for_a_post() {
    // Bound and never listening, so that nobody else can be given the port meanwhile.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = format!("http://{}", socket.local_addr().expect("an address"));
    let client = client_of(&address);
    let refresh = client.post("token").form(&[("refresh_token", "old")]).json::<Comment>();
    let (outcome, requests) = counting_requests(refresh).await;

    let said = said(outcome);
    assert!(said.starts_with("other: POST /token: no answer"), "{said}");
    assert_eq!(requests, 3);
}

#[tokio::test]
async fn a_post_that_was_reset_may_have_been_carried_out_and_is_not_repeated() {
    let client = client_of(&platform_that_resets_once().await);
    let refresh = client.post("token").form(&[("refresh_token", "old")]).json::<Comment>();
    let (outcome, requests) = counting_requests(refresh).await;

    let said = said(outcome);
    assert!(said.starts_with("other: POST /token: no answer"), "{said}");
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_post_that_says_it_is_repeatable_is_repeated() {
    let client = client_of(&platform_that_resets_once().await);
    let query = client.post("graphql").body(&"{ viewer }").repeatable().json::<Comment>();
    let (outcome, requests) = counting_requests(query).await;

    assert_eq!(outcome.expect("the second answer").body, ada());
    assert_eq!(requests, 2);
}

#[tokio::test]
async fn what_is_no_http_is_not_tried_again() {
    let address = socket(|_, mut stream| async move {
        say(&mut stream, "SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
        fall_silent(stream).await;
    })
    .await;
    let (outcome, requests) = counting_requests(comment_from(&client_of(&address))).await;

    assert!(matches!(outcome, Err(SyncError::Other(_))), "{outcome:?}");
    assert_eq!(requests, 1);
}
