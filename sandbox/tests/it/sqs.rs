use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result};
use sandbox::sqs::{Emulator, Kind};

/// One SQS call by hand, in the JSON protocol; answers with status and body.
fn call(endpoint: &str, action: &str, body: &str) -> Result<String> {
    let host = endpoint.strip_prefix("http://").context("a plain address")?;
    let mut connection = TcpStream::connect(host)?;
    let scope = "20261120/us-east-1/sqs/aws4_request";
    write!(
        connection,
        "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.{action}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/{scope}, SignedHeaders=host, Signature=0\r\n\
         X-Amz-Date: 20261120T000000Z\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

fn stops_and_comes_back_empty(kind: Kind) -> Result<()> {
    if !Kind::installed().any(|installed| installed == kind) {
        eprintln!("skipped: {kind} is not installed");
        return Ok(());
    }
    let mut emulator = Emulator::start_as(kind)?;
    let endpoint = emulator.endpoint();
    let made = call(&endpoint, "CreateQueue", r#"{"QueueName":"runs"}"#)?;
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");
    assert!(call(&endpoint, "ListQueues", "{}")?.contains("/runs"));

    emulator.stop()?;
    assert!(call(&endpoint, "ListQueues", "{}").is_err());

    emulator.start_again()?;
    assert_eq!(emulator.endpoint(), endpoint);
    let queues = call(&endpoint, "ListQueues", "{}")?;
    assert!(queues.starts_with("HTTP/1.1 200") && !queues.contains("/runs"), "{queues}");

    drop(emulator);
    assert!(call(&endpoint, "ListQueues", "{}").is_err());
    Ok(())
}

#[test]
fn ministack_stops_and_comes_back_empty_on_its_port() -> Result<()> {
    stops_and_comes_back_empty(Kind::MiniStack)
}

#[test]
fn localstack_stops_and_comes_back_empty_on_its_port() -> Result<()> {
    stops_and_comes_back_empty(Kind::LocalStack)
}

#[test]
fn two_emulators_run_side_by_side() -> Result<()> {
    if Kind::installed().all(|installed| installed != Kind::MiniStack) {
        eprintln!("skipped: ministack is not installed");
        return Ok(());
    }
    let first = Emulator::start_as(Kind::MiniStack)?;
    let second = Emulator::start_as(Kind::MiniStack)?;
    call(&first.endpoint(), "CreateQueue", r#"{"QueueName":"runs"}"#)?;
    assert!(!call(&second.endpoint(), "ListQueues", "{}")?.contains("/runs"));
    Ok(())
}

#[test]
fn an_unknown_emulator_is_refused_by_name() {
    let error = "elasticmq".parse::<Kind>().expect_err("we do not have it");
    assert!(error.to_string().contains("elasticmq"));
}
