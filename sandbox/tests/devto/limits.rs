//! The rate limit, and the log of requests.

use std::time::Duration;

use sandbox::devto::{Community, Devto, Fault, RateLimit, StatusCode};

use crate::client::{ask, json};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_spent_limit_answers_429_with_the_seconds_to_wait() {
    let devto = Devto::serve(Community::empty()).await.unwrap();
    devto.limit(RateLimit { requests: 2, per: HOUR });
    for _ in 0..2 {
        json(&devto, "/api/articles").await;
    }
    let answer = ask(&devto, "/api/articles").await;
    assert_eq!(answer.status(), 429);
    let seconds: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=3600).contains(&seconds), "{seconds}");
    assert_eq!(ask(&devto, "/api/comments?a_id=1").await.status(), 429);
    assert_eq!(devto.refused_count(), 2);
}

#[tokio::test]
async fn a_lifted_limit_admits_again() {
    let devto = Devto::serve(Community::empty()).await.unwrap();
    devto.limit(RateLimit { requests: 0, per: HOUR });
    assert_eq!(ask(&devto, "/api/articles").await.status(), 429);
    devto.limit(None);
    json(&devto, "/api/articles").await;
    assert_eq!(devto.refused_count(), 1);
}

#[tokio::test]
async fn what_was_asked_is_remembered_with_its_answer() {
    let devto = Devto::serve(Community::empty()).await.unwrap();
    ask(&devto, "/api/articles?username=ben&page=2").await;
    ask(&devto, "/api/users/7").await;
    let requests = devto.requests();
    assert_eq!(requests[0].path, "/api/articles");
    assert_eq!(requests[0].query.as_deref(), Some("username=ben&page=2"));
    assert_eq!(requests[0].status, Some(StatusCode::OK));
    assert_eq!(requests[1].path, "/api/users/7");
    assert_eq!(requests[1].status, Some(StatusCode::NOT_FOUND));
    assert_eq!((requests.len(), devto.request_count()), (2, 2));

    devto.clear_requests();
    ask(&devto, "/api/articles").await;
    assert_eq!((devto.requests().len(), devto.request_count()), (1, 1));
}

#[tokio::test]
async fn whoever_waits_for_a_request_is_told_when_it_arrives() {
    let devto = Devto::serve(Community::empty()).await.unwrap();
    devto.misbehave("/api/comments", 1, Fault::Hang);
    let asking = async {
        ask(&devto, "/api/articles").await;
        ask(&devto, "/api/comments?a_id=17").await
    };
    tokio::select! {
        _ = asking => panic!("a hanging request was answered"),
        request = devto.until_requested("a_id=17") => assert_eq!(request.path, "/api/comments"),
    }
    assert_eq!(devto.requests()[1].status, None);
}
