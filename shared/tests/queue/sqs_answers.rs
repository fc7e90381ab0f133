//! Answers of SQS that no emulator gives: what the client makes of them.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use shared::queue::sqs::{SqsConfig, SqsQueue, client};
use shared::queue::{Outgoing, Queue, Receipt};
use tokio::net::TcpListener;
use wiremock::matchers::{header, method};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

#[tokio::test]
async fn many_messages_go_in_batches_of_ten() {
    let server = answering("SendMessageBatch", |request| {
        let sent = entries(request).iter().map(confirmed).collect::<Vec<_>>();
        ResponseTemplate::new(200).set_body_json(json!({"Successful": sent, "Failed": []}))
    })
    .await;
    connect(&server).await.send(&numbered(25)).await.expect("all are sent");

    let requests = server.received_requests().await.expect("recorded");
    let mut sizes: Vec<_> = requests.iter().map(|request| entries(request).len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 10, 10]);
    let bodies: HashSet<_> =
        requests.iter().flat_map(entries).map(|entry| entry["MessageBody"].to_string()).collect();
    assert_eq!(bodies.len(), 25);
    assert!(requests.iter().flat_map(entries).all(|entry| entry["MessageGroupId"] == "tenant"));
}

#[tokio::test]
async fn what_sqs_refuses_of_a_batch_is_named_by_position() {
    let server = answering("SendMessageBatch", |request| {
        let (refused, sent): (Vec<_>, Vec<_>) =
            entries(request).into_iter().partition(is_multiple_of_four);
        let refused: Vec<_> = refused
            .iter()
            .map(|entry| {
                json!({"Id": entry["Id"], "Code": "InternalError", "Message": "try again",
                    "SenderFault": false})
            })
            .collect();
        let sent: Vec<_> = sent.iter().map(confirmed).collect();
        ResponseTemplate::new(200).set_body_json(json!({"Successful": sent, "Failed": refused}))
    })
    .await;
    let error = connect(&server).await.send(&numbered(15)).await.expect_err("some are refused");
    assert_eq!(error.unsent, [0, 4, 8, 12]);
    assert_eq!(
        format!("{:#}", anyhow::Error::from(error)),
        "4 messages were not sent: SQS refused a message: InternalError try again"
    );
}

#[tokio::test]
async fn what_sqs_does_not_confirm_counts_as_unsent() {
    let server = answering("SendMessageBatch", |request| {
        let sent = entries(request).iter().skip(1).map(confirmed).collect::<Vec<_>>();
        ResponseTemplate::new(200).set_body_json(json!({"Successful": sent, "Failed": []}))
    })
    .await;
    let error = connect(&server).await.send(&numbered(3)).await.expect_err("one is missing");
    assert_eq!(error.unsent, [0]);
}

#[tokio::test]
async fn a_batch_that_fails_leaves_the_others_sent() {
    let failed = Mutex::new(false);
    let server = answering("SendMessageBatch", move |request| {
        if entries(request)[0]["Id"] == "10"
            && !std::mem::replace(&mut failed.lock().unwrap(), true)
        {
            return ResponseTemplate::new(503);
        }
        let sent = entries(request).iter().map(confirmed).collect::<Vec<_>>();
        ResponseTemplate::new(200).set_body_json(json!({"Successful": sent, "Failed": []}))
    })
    .await;
    let error = connect(&server).await.send(&numbered(25)).await.expect_err("one batch fails");
    assert_eq!(error.unsent, Vec::from_iter(10..20));
    let requests = server.received_requests().await.expect("recorded");
    assert_eq!(requests.len(), 3, "nobody retries inside");
}

#[tokio::test]
async fn once_sqs_does_not_answer_a_batch_the_hundreds_behind_it_are_not_tried() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let queue = connect_to(&format!("http://{}", listener.local_addr().expect("one"))).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let hanging_up = tokio::spawn({
        let asked = Arc::clone(&asked);
        async move {
            loop {
                drop(listener.accept().await);
                asked.fetch_add(1, Ordering::Relaxed);
            }
        }
    });

    let error = queue.send(&numbered(2_000)).await.expect_err("nobody answers");

    hanging_up.abort();
    assert_eq!(error.unsent.len(), 2_000);
    let asked = asked.load(Ordering::Relaxed);
    assert!((1..=20).contains(&asked), "{asked} of two hundred batches were tried");
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_is_an_error_in_bounded_time() {
    // The server promises more than it sends, and keeps the connection open.
    let server = answering("ReceiveMessage", |_| {
        ResponseTemplate::new(200)
            .set_body_json(json!({"Messages": []}))
            .insert_header("content-length", "1000")
    })
    .await;
    let queue = connect(&server).await;
    queue.receive(1, Duration::ZERO).await.expect_err("the rest never comes");
}

/// As AWS words them; the emulators have their own words, or do not mind.
#[tokio::test]
async fn the_ways_of_aws_to_say_that_a_receipt_is_stale_are_known() {
    let receipt = Receipt("AQEB".into());
    for (code, message) in [
        ("ReceiptHandleIsInvalid", "The input receipt handle is invalid."),
        ("MessageNotInflight", "The message is not in flight."),
        (
            "InvalidParameterValue",
            "Value AQEB for parameter ReceiptHandle is invalid. Reason: Message does not exist or \
             is not available for visibility timeout change.",
        ),
    ] {
        let server = refusing(code, message).await;
        let queue = connect(&server).await;
        queue.acknowledge(&receipt).await.expect("ignored");
        queue.keep_invisible(&receipt, Duration::ZERO).await.expect("ignored");
    }
    let message = "Value 50000 for parameter VisibilityTimeout is invalid. Reason: Total \
                   VisibilityTimeout for the message is beyond the limit [43200 seconds].";
    let server = refusing("InvalidParameterValue", message).await;
    let twelve_hours = Duration::from_secs(12 * 60 * 60);
    let kept = connect(&server).await.keep_invisible(&receipt, twelve_hours).await;
    assert!(format!("{:#}", kept.expect_err("too long")).contains("beyond the limit"));
}

/// Without a call: nobody here is AWS.
#[tokio::test]
async fn a_client_for_aws_itself_can_be_made() {
    let client = client(None, Some("eu-west-1")).await.expect("a client");
    assert_eq!(client.config().region().map(|region| region.as_ref()), Some("eu-west-1"));
}

async fn answering(
    operation: &str,
    answer: impl Fn(&Request) -> ResponseTemplate + Send + Sync + 'static,
) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(header("x-amz-target", format!("AmazonSQS.{operation}").as_str()))
        .respond_with(answer)
        .mount(&server)
        .await;
    server
}

async fn refusing(code: &str, message: &str) -> MockServer {
    let server = MockServer::start().await;
    let body = json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": message});
    let refusal = ResponseTemplate::new(400)
        .insert_header("x-amzn-query-error", format!("AWS.SimpleQueueService.{code};Sender"))
        .set_body_json(body);
    Mock::given(method("POST")).respond_with(refusal).mount(&server).await;
    server
}

async fn connect(server: &MockServer) -> SqsQueue {
    connect_to(&server.uri()).await
}

async fn connect_to(url: &str) -> SqsQueue {
    let config = SqsConfig {
        queue_url: format!("{url}/000000000000/runs"),
        dead_letter_queue_url: None,
        endpoint_url: Some(url.to_owned()),
        region: None,
        visibility: Duration::from_secs(60),
    };
    SqsQueue::connect(&config).await.expect("connected")
}

fn entries(request: &Request) -> Vec<Value> {
    let body: Value = request.body_json().expect("JSON");
    body["Entries"].as_array().expect("entries").clone()
}

fn confirmed(entry: &Value) -> Value {
    json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "d"})
}

fn is_multiple_of_four(entry: &Value) -> bool {
    let body = entry["MessageBody"].as_str().expect("a body");
    body.parse::<u32>().expect("a number").is_multiple_of(4)
}

fn numbered(count: u32) -> Vec<Outgoing> {
    let message = |number: u32| Outgoing {
        body: number.to_string(),
        group: "tenant".into(),
        delay: Duration::ZERO,
        trace: None,
    };
    (0..count).map(message).collect()
}
