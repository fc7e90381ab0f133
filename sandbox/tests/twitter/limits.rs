//! Rate limits by user and endpoint, their headers, and the script of faults.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use reqwest::Response;
use sandbox::twitter::{Class, Community, Fault, RateLimit, SCOPES, StatusCode};

use crate::client::{Asking, app, ask_as};

async fn asking() -> Asking {
    let mut community = Community::empty();
    let acme = community.add_user("acme", "Acme");
    community.add_user("ada", "Ada");
    Asking::of(community, acme).await
}

fn number(answer: &Response, name: &str) -> i64 {
    answer.headers()[name].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn every_answer_says_what_is_left_and_when_counting_begins_anew() {
    let asking = asking().await;
    let answer = asking.ask("/2/users/me").await;
    let reset = asking.x.look(Community::now) + TimeDelta::minutes(15);
    assert_eq!(number(&answer, "x-rate-limit-limit"), 75);
    assert_eq!(number(&answer, "x-rate-limit-remaining"), 74);
    assert_eq!(number(&answer, "x-rate-limit-reset"), reset.timestamp());
    let date = answer.headers()["date"].to_str().unwrap();
    let date = DateTime::parse_from_rfc2822(date).unwrap();
    assert_eq!(date.timestamp(), asking.x.look(Community::now).timestamp());
}

#[tokio::test]
async fn a_spent_limit_refuses_one_user_one_endpoint_until_its_reset() {
    let asking = asking().await;
    asking.x.limit(Class::Me, RateLimit { requests: 2, per: Duration::from_secs(15 * 60) });
    let statuses = [asking.ask("/2/users/me").await, asking.ask("/2/users/me").await];
    assert!(statuses.iter().all(|answer| answer.status() == 200));
    let refused = asking.ask("/2/users/me").await;
    assert_eq!((refused.status().as_u16(), number(&refused, "x-rate-limit-remaining")), (429, 0));
    assert_eq!(asking.x.refused_count(), 1);

    assert_eq!(asking.ask("/2/users/by?usernames=ada").await.status(), 200, "another endpoint");
    let ada = asking.x.look(|community| community.user_named("ada").unwrap().id);
    let hers = asking.x.grant(&app(), ada, SCOPES);
    assert_eq!(ask_as(&asking.x, &hers.access_token, "/2/users/me").await.status(), 200);

    asking.x.edit(|community| community.pass(TimeDelta::minutes(15)));
    assert_eq!(asking.ask("/2/users/me").await.status(), 200);
}

#[tokio::test]
async fn time_passes_with_requests_if_it_is_told_to() {
    let asking = asking().await;
    let before = asking.x.look(Community::now);
    asking.x.pass_with_each_request(TimeDelta::seconds(3));
    asking.ask("/2/users/me").await;
    assert_eq!(asking.x.look(Community::now), before + TimeDelta::seconds(3));
    asking.x.keep_real_time();
    asking.ask("/2/users/me").await;
    assert!(asking.x.look(Community::now) - before > TimeDelta::days(365));
}

#[tokio::test]
async fn faults_befall_the_requests_they_are_meant_for_as_often_as_told() {
    let asking = asking().await;
    asking.x.misbehave("/2/users/me", 1, Fault::Status(StatusCode::SERVICE_UNAVAILABLE));
    asking.x.misbehave("/2/users/me", 1, Fault::TruncatedJson);
    assert_eq!(asking.ask("/2/users/by?usernames=ada").await.status(), 200);
    assert_eq!(asking.ask("/2/users/me").await.status(), 503);
    let cut = asking.ask("/2/users/me").await;
    assert_eq!(cut.status(), 200);
    cut.json::<serde_json::Value>().await.unwrap_err();
    assert_eq!(asking.ask("/2/users/me").await.status(), 200);
    let statuses: Vec<_> = asking.x.requests().iter().filter_map(|it| it.status).collect();
    assert_eq!(statuses.iter().map(StatusCode::as_u16).collect::<Vec<_>>(), [200, 503, 200, 200]);
}
