//! Misbehaviour, fault by fault.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use sandbox::devto::{ALWAYS, Community, Devto, Fault, RetryAfter, StatusCode};
use serde_json::{Value, json};

use crate::client::{ask, client, json, refusal};

async fn devto() -> Devto {
    let mut community = Community::empty();
    let author = community.add_user("grace", "Grace");
    for number in 0..5 {
        community.add_article(author, &format!("Article {number}"));
    }
    Devto::serve(community).await.unwrap()
}

#[tokio::test]
async fn a_fault_spoils_as_many_answers_as_scripted_and_only_those_it_is_about() {
    let devto = devto().await;
    devto.misbehave("username=grace", 2, Fault::Status(StatusCode::FORBIDDEN));
    json(&devto, "/api/articles?username=gracehopper").await;
    for _ in 0..2 {
        let refused = refusal(&devto, "/api/articles?username=grace").await;
        assert_eq!(refused, json!({"error": "forbidden", "status": 403}));
    }
    json(&devto, "/api/articles?username=grace").await;
}

#[tokio::test]
async fn faults_come_in_the_order_they_were_scripted_until_all_is_forgiven() {
    let devto = devto().await;
    devto.misbehave("/api/articles", 1, Fault::Status(StatusCode::UNAUTHORIZED));
    devto.misbehave("/api/", ALWAYS, Fault::Status(StatusCode::INTERNAL_SERVER_ERROR));
    assert_eq!(ask(&devto, "/api/articles").await.status(), 401);
    assert_eq!(ask(&devto, "/api/articles").await.status(), 500);
    assert_eq!(ask(&devto, "/api/articles").await.status(), 500);
    devto.behave();
    json(&devto, "/api/articles").await;
}

#[tokio::test]
async fn a_scripted_429_says_when_to_come_back_in_every_way_they_do() {
    let devto = devto().await;
    let at = "2026-11-20T08:05:09Z".parse().unwrap();
    let ways = [
        (RetryAfter::Seconds(30), Some("30")),
        (RetryAfter::Date(at), Some("Fri, 20 Nov 2026 08:05:09 GMT")),
        (RetryAfter::EpochSeconds(1_795_161_909), Some("1795161909")),
        (RetryAfter::Nonsense, Some("in a while")),
        (RetryAfter::Missing, None),
    ];
    for (way, header) in ways {
        devto.misbehave("/api/articles", 1, Fault::RateLimited(way));
        let answer = ask(&devto, "/api/articles").await;
        assert_eq!(answer.status(), 429);
        let said = answer.headers().get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!(said, header);
    }
    assert_eq!(devto.refused_count(), 0);
}

#[tokio::test]
async fn truncated_json_is_a_whole_answer_with_half_of_the_json() {
    let devto = devto().await;
    let whole = ask(&devto, "/api/articles").await.text().await.unwrap();
    devto.misbehave("/api/articles", 1, Fault::TruncatedJson);
    let answer = ask(&devto, "/api/articles").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), whole[..whole.len() / 2]);
}

#[tokio::test]
async fn wrong_json_is_json_but_no_list() {
    let devto = devto().await;
    devto.misbehave("/api/articles", 1, Fault::WrongJson);
    assert!(json(&devto, "/api/articles").await.is_object());
}

#[tokio::test]
async fn a_redirect_leads_to_another_host() {
    let devto = devto().await;
    let elsewhere = "http://other.example.com/api/articles";
    devto.misbehave("/api/articles", 1, Fault::Redirect(elsewhere.to_owned()));
    let answer = ask(&devto, "/api/articles").await;
    assert_eq!(answer.status(), 302);
    assert_eq!(answer.headers()["location"], elsewhere);
}

#[tokio::test]
async fn a_huge_body_is_as_huge_as_scripted_and_an_empty_list_in_the_end() {
    let devto = devto().await;
    devto.misbehave("/api/articles", 1, Fault::HugeBody(1_000_000));
    let answer = ask(&devto, "/api/articles").await;
    assert_eq!(answer.content_length(), None);
    let body = answer.text().await.unwrap();
    assert_eq!(body.len(), 1_000_002);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), json!([]));
}

#[tokio::test]
async fn a_repeated_page_is_the_first_whichever_is_asked_for() {
    let devto = devto().await;
    devto.misbehave("/api/articles", ALWAYS, Fault::RepeatedPage);
    let first = json(&devto, "/api/articles?username=grace&page=1&per_page=2").await;
    assert_eq!(first.as_array().unwrap().len(), 2);
    for page in [2, 3, 99] {
        let path = format!("/api/articles?username=grace&page={page}&per_page=2");
        assert_eq!(json(&devto, &path).await, first);
    }
}

#[tokio::test]
async fn a_closed_connection_is_a_reset_and_the_next_one_is_served() {
    let devto = devto().await;
    devto.misbehave("/api/articles", 1, Fault::CloseConnection);
    let client = client();
    let error = client.get(format!("{}/api/articles", devto.url())).send().await.unwrap_err();
    assert_eq!(io_kind(&error), Some(io::ErrorKind::ConnectionReset));
    assert_eq!(devto.requests()[0].status, None);
    json(&devto, "/api/articles").await;
}

#[tokio::test]
async fn a_broken_off_answer_begins_well_and_ends_early() {
    let devto = devto().await;
    let whole = ask(&devto, "/api/articles").await.text().await.unwrap();
    devto.misbehave("/api/articles", 1, Fault::BreakOff);
    let mut answer = ask(&devto, "/api/articles").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.content_length(), Some(whole.len() as u64));
    let mut received = Vec::new();
    let ended = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => received.extend(chunk),
            other => break other,
        }
    };
    ended.unwrap_err();
    assert_eq!(received, whole.as_bytes()[..whole.len() / 2]);
}

#[tokio::test]
async fn slow_bytes_come_one_by_one() {
    let devto = devto().await;
    let pause = Duration::from_millis(2);
    devto.misbehave("/api/users", 1, Fault::SlowBytes(pause));
    let begun = Instant::now();
    let body = ask(&devto, "/api/users/1").await.text().await.unwrap();
    assert_eq!(body, r#"{"error":"not found","status":404}"#);
    assert!(begun.elapsed() >= pause * body.len() as u32);
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
}
