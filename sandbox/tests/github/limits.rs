//! The limits, and the log of requests.

use std::time::Duration;

use sandbox::github::{Fault, Github, PERSONAL_TOKEN, RateLimit, StatusCode, World};
use serde_json::json;

use crate::client::{answer, ask, get};

const RATE: &str = "query Rate { rateLimit { cost limit remaining resetAt } }";
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn points_are_counted_and_told_in_headers_and_on_request() {
    let github = Github::serve(World::empty()).await.unwrap();
    github.limit(RateLimit { requests: 10, per: HOUR });
    for remaining in [9, 8] {
        let said = ask(&github, RATE, json!({})).await;
        let header = |name: &str| said.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-ratelimit-remaining"), remaining.to_string());
        assert_eq!(header("x-ratelimit-resource"), "graphql");
        let rate: serde_json::Value = said.json().await.unwrap();
        let rate = &rate["data"]["rateLimit"];
        assert_eq!((&rate["cost"], &rate["limit"]), (&json!(1), &json!(10)));
        assert_eq!(rate["remaining"], remaining);
    }
    assert_eq!((github.points(), github.request_count()), (2, 2));
}

#[tokio::test]
async fn spent_points_are_an_error_under_200_and_spent_requests_a_403() {
    let github = Github::serve(World::empty()).await.unwrap();
    github.limit(RateLimit { requests: 1, per: HOUR });
    github.limit_rest(RateLimit { requests: 1, per: HOUR });
    answer(&github, RATE, json!({})).await;
    let spent = ask(&github, RATE, json!({})).await;
    assert_eq!(spent.headers()["x-ratelimit-remaining"], "0");
    let spent: serde_json::Value = spent.json().await.unwrap();
    assert_eq!(spent["errors"][0]["type"], "RATE_LIMITED");
    assert_eq!(get(&github, "/user", PERSONAL_TOKEN).await.0, 200);
    assert_eq!(get(&github, "/user", PERSONAL_TOKEN).await.0, 403);
}

#[tokio::test]
async fn faults_come_as_often_as_they_are_told_and_to_whom() {
    let github = Github::serve(World::empty()).await.unwrap();
    github.misbehave("Rate", 1, Fault::SecondaryLimit { retry_after: Some(7) });
    github.misbehave("/user", 2, Fault::Status(StatusCode::BAD_GATEWAY));
    let busy = ask(&github, RATE, json!({})).await;
    assert_eq!(
        (busy.status().as_u16(), busy.headers()["retry-after"].to_str().unwrap()),
        (403, "7")
    );
    assert_eq!(ask(&github, RATE, json!({})).await.status(), 200);
    assert_eq!(get(&github, "/user", PERSONAL_TOKEN).await.0, 502);
    github.behave();
    assert_eq!(get(&github, "/user", PERSONAL_TOKEN).await.0, 200);
}

#[tokio::test]
async fn what_was_asked_is_remembered_with_its_answer() {
    let github = Github::serve(World::empty()).await.unwrap();
    ask(&github, RATE, json!({ "of": "R_1" })).await;
    get(&github, "/user/repos?page=2", PERSONAL_TOKEN).await;
    let requests = github.requests();
    assert_eq!((requests[0].what.as_str(), &requests[0].with), ("Rate", &json!({ "of": "R_1" })));
    assert_eq!(
        (requests[1].what.as_str(), &requests[1].with),
        ("/user/repos", &json!({ "page": "2" }))
    );
    assert_eq!((requests[0].cost, requests[1].cost), (1, 0));
    github.clear_requests();
    assert_eq!((github.request_count(), github.requests().len()), (0, 0));
}
