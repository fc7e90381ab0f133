//! The limits, and the log of requests.

use std::time::Duration;

use sandbox::discord::{Community, Discord, Kind, Limits, RateLimit};

use crate::client::ask;

const HOUR: Duration = Duration::from_secs(3600);

fn once_an_hour() -> RateLimit {
    RateLimit { requests: 1, per: HOUR }
}

#[tokio::test]
async fn each_channel_has_its_own_bucket_of_one_name() {
    let mut community = Community::empty();
    let [one, other] = ["one", "other"].map(|name| community.add_channel(Kind::Text, name));
    let discord = Discord::serve(community).await.unwrap();
    discord.limit(Limits { route: Some(once_an_hour()), global: None });
    let mut buckets = Vec::new();
    for channel in [one, other] {
        let answer = ask(&discord, &format!("/channels/{channel}/messages")).await;
        assert_eq!(answer.status(), 200);
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(
            (header("x-ratelimit-limit"), header("x-ratelimit-remaining")),
            ("1".into(), "0".into())
        );
        let reset_after: f64 = header("x-ratelimit-reset-after").parse().unwrap();
        assert!(reset_after > 3500.0 && reset_after <= 3600.0, "{reset_after}");
        buckets.push(header("x-ratelimit-bucket"));
    }
    assert_eq!(buckets[0], buckets[1]);

    let refused = ask(&discord, &format!("/channels/{one}/messages")).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["x-ratelimit-scope"], "user");
    let retry_after: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((3500..=3600).contains(&retry_after), "{retry_after}");
    let body: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(body["global"], false);
    assert!(body["retry_after"].as_f64().unwrap() > 3500.0);
    assert_eq!(discord.refused_count(), 1);
}

#[tokio::test]
async fn the_limit_over_all_requests_says_that_it_is_that() {
    let discord = Discord::serve(Community::empty()).await.unwrap();
    discord.limit(Limits { route: None, global: Some(once_an_hour()) });
    assert_eq!(ask(&discord, "/users/@me").await.status(), 200);
    let refused = ask(&discord, "/applications/@me").await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["x-ratelimit-global"], "true");
    assert!(!refused.headers().contains_key("x-ratelimit-bucket"));
    let body: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(body["global"], true);
    discord.limit(Limits::default());
    assert_eq!(ask(&discord, "/users/@me").await.status(), 200);
}

#[tokio::test]
async fn what_was_asked_is_remembered_with_its_answer() {
    let discord = Discord::serve(Community::empty()).await.unwrap();
    ask(&discord, "/users/@me").await;
    ask(&discord, "/channels/5/messages?limit=7").await;
    let requests = discord.requests();
    assert_eq!(requests[0].path, "/users/@me");
    assert_eq!(requests[0].status.unwrap(), 200);
    assert_eq!(requests[1].query.as_deref(), Some("limit=7"));
    assert_eq!(requests[1].status.unwrap(), 404);
    discord.clear_requests();
    ask(&discord, "/users/@me").await;
    assert_eq!((discord.requests().len(), discord.request_count()), (1, 1));
}
