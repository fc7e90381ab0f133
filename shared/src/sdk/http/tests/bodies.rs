use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

async fn outcome(body: impl Into<Vec<u8>>, content_type: &str) -> Result<Answer<Comment>> {
    let answer = ResponseTemplate::new(200).set_body_raw(body, content_type);
    let (_server, client) = platform(answer).await;
    comment_from(&client).await
}

async fn json(body: impl Into<Vec<u8>>) -> Result<Answer<Comment>> {
    outcome(body, "application/json").await
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

async fn from_gzip(packed: Vec<u8>) -> Result<Answer<Comment>> {
    let answer = ResponseTemplate::new(200)
        .insert_header("content-encoding", "gzip")
        .set_body_raw(packed, "application/json");
    let (_server, client) = platform(answer).await;
    comment_from(&client).await
}

#[tokio::test]
async fn an_answer_is_decoded_into_the_authors_type() {
    assert_eq!(json(COMMENT).await.expect("a comment").body, ada());
}

#[tokio::test]
async fn truncated_json_is_tried_again() {
    assert_eq!(
        said(json(&COMMENT.as_bytes()[..20]).await),
        "other: GET /comments/7: the JSON is cut off at `author`, line 1 column 20",
    );
}

#[tokio::test]
async fn what_is_not_json_is_tried_again() {
    assert_eq!(
        said(json("<html>").await),
        "other: GET /comments/7: the answer is not JSON at `.`, line 1 column 1",
    );
    assert_eq!(
        said(json("").await),
        "other: GET /comments/7: the JSON is cut off at `.`, line 1 column 0",
    );
}

#[tokio::test]
async fn json_of_another_shape_names_the_field_and_never_the_value() {
    assert_eq!(
        said(json(r#"{"id": "hunter2", "author": {"name": "Ada"}}"#).await),
        "other: GET /comments/7: expected u64 at `id`, line 1 column 16",
    );
    assert_eq!(
        said(json(r#"{"id": 7, "author": {"name": ["hunter2, expected"]}}"#).await),
        "other: GET /comments/7: expected a string at `author.name`, line 1 column 29",
    );
    assert_eq!(
        said(json(r#"{"id": 7, "author": {"hunter2": 1}}"#).await),
        "other: GET /comments/7: missing field `name` at `author`, line 1 column 34",
    );
}

#[tokio::test]
async fn an_error_page_under_status_200_is_named_for_what_it_is() {
    assert_eq!(
        said(outcome("<h1>Please log in</h1>", "text/html; charset=utf-8").await),
        r#"other: GET /comments/7: answered "text/html" where JSON was expected"#,
    );
}

#[tokio::test]
async fn json_under_any_of_its_names_is_json() {
    for name in ["application/json; charset=utf-8", "application/vnd.github+json", "text/JSON"] {
        let answer = outcome(COMMENT, name).await;
        assert_eq!(answer.expect("a comment").body, ada(), "named {name}");
    }
}

#[tokio::test]
async fn an_answer_at_the_limit_is_read_and_one_above_it_is_permanent() {
    let padded = |length: usize| format!("{COMMENT:<length$}");
    assert_eq!(json(padded(4096)).await.expect("a comment").body, ada());
    assert_eq!(
        said(json(padded(4097)).await),
        "permanent: GET /comments/7: the answer is above 4096 bytes",
    );
}

#[tokio::test]
async fn a_length_above_the_limit_is_believed_and_not_waited_for() {
    let address = socket(|_, mut stream| async move {
        say(&mut stream, head("content-length: 4097")).await;
        fall_silent(stream).await;
    })
    .await;
    assert_eq!(
        said(comment_from(&client_of(&address)).await),
        "permanent: GET /comments/7: the answer is above 4096 bytes",
    );
}

#[tokio::test]
async fn an_answer_without_end_is_left_at_the_limit() {
    let address = socket(|_, mut stream| async move {
        say(&mut stream, head("transfer-encoding: chunked")).await;
        // Ends when the client hangs up, and only then.
        while stream.write_all(&chunk(&[b' '; 1024])).await.is_ok() {}
    })
    .await;
    assert_eq!(
        said(comment_from(&client_of(&address)).await),
        "permanent: GET /comments/7: the answer is above 4096 bytes",
    );
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

#[tokio::test]
async fn a_gzipped_answer_is_unpacked() {
    assert_eq!(from_gzip(gzipped(COMMENT.as_bytes())).await.expect("a comment").body, ada());
}

#[tokio::test]
async fn a_gzip_bomb_is_left_at_the_limit() {
    let bomb = gzipped(&vec![b' '; 10 * 1024 * 1024]);
    assert!(bomb.len() < 16 * 1024, "packed to {} bytes", bomb.len());

    assert_eq!(
        said(from_gzip(bomb).await),
        "permanent: GET /comments/7: the answer is above 4096 bytes",
    );
}

#[tokio::test]
async fn gzip_that_breaks_off_is_tried_again() {
    let mut packed = gzipped(COMMENT.as_bytes());
    packed.truncate(packed.len() / 2);
    let broken = from_gzip(packed).await;
    assert!(matches!(broken, Err(SyncError::Other(_))), "{broken:?}");
}
