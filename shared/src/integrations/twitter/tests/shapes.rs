//! What becomes of users and posts, and odd answers.

use chrono::DateTime;
use insta::assert_snapshot;
use wiremock::matchers::{header, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

const ADA: &str = r#"{
    "id": "7505382", "username": "ada_l", "name": "Ada", "description": "", "location": "Leeds",
    "profile_image_url": "https://pbs.twimg.com/ada.jpg",
    "public_metrics": {"followers_count": 1815, "following_count": 1, "tweet_count": 2, "listed_count": 0}
}"#;

/// The profile 42, of whom is listed what a test says; nobody follows.
async fn listing(mentions: Value) -> MockServer {
    let fake = MockServer::start().await;
    let nobody = json!({"meta": {"result_count": 0}});
    for (of, body) in [("/2/users/42/mentions", mentions), ("/2/users/42/followers", nobody)] {
        let answer = ResponseTemplate::new(200).set_body_json(body);
        Mock::given(path(of)).respond_with(answer).mount(&fake).await;
    }
    fake
}

fn rehearsal(fake: &MockServer) -> Rehearsal {
    let twitter = Twitter::at(&fake.uri()).expect("an integration");
    Rehearsal::of(twitter).units(&["42"])
}

fn post() -> Value {
    json!({
        "id": "1789000000000000001", "author_id": "7505382", "created_at": "2024-05-01T11:00:00.000Z",
        "text": "R&amp;D says <b>hello</b> @acme", "edit_history_tweet_ids": ["1789000000000000000", "1789000000000000001"],
        "entities": {"mentions": [{"start": 24, "end": 29, "username": "acme", "id": "42"}]},
        "attachments": {"media_keys": ["3_1", "3_2"]},
    })
}

fn ada() -> Value {
    serde_json::from_str(ADA).expect("JSON")
}

fn shown(record: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(record).expect("JSON")
}

#[tokio::test]
async fn a_mention_becomes_an_activity() {
    let photo = json!({"media_key": "3_1", "type": "photo", "url": "https://pbs.twimg.com/1.jpg", "width": 2});
    let fake = listing(json!({
        "data": [post()], "includes": {"users": [ada()], "media": [photo]}, "meta": {"result_count": 1},
    }))
    .await;
    let run = rehearsal(&fake).run().await;
    assert_snapshot!(shown(&run.activities().next().expect("an activity")), @r#"
    {
      "platform": "twitter",
      "kind": "mention",
      "source_id": "1789000000000000000",
      "source_parent_id": null,
      "timestamp": "2024-05-01T11:00:00Z",
      "title": null,
      "body": "R&amp;D says <b>hello</b> @acme",
      "url": "https://twitter.com/i/status/1789000000000000001",
      "channel": null,
      "attributes": {
        "attachments": [
          {
            "media_key": "3_1",
            "type": "photo",
            "url": "https://pbs.twimg.com/1.jpg",
            "width": 2
          }
        ],
        "entities": {
          "mentions": [
            {
              "end": 29,
              "id": "42",
              "start": 24,
              "username": "acme"
            }
          ]
        }
      },
      "score": 6,
      "is_contribution": true,
      "member": {
        "identity": {
          "platform": "twitter",
          "username": "ada_l",
          "source_id": "7505382"
        },
        "display_name": "Ada",
        "emails": [],
        "joined_at": null,
        "reach": {
          "twitter": 1815
        },
        "attributes": {
          "avatarUrl": {
            "twitter": "https://pbs.twimg.com/ada.jpg"
          },
          "location": {
            "twitter": "Leeds"
          },
          "sourceId": {
            "twitter": "7505382"
          },
          "url": {
            "twitter": "https://twitter.com/ada_l"
          }
        }
      },
      "object_member": null
    }
    "#);
}

#[tokio::test]
async fn a_follow_becomes_an_activity() {
    let fake = MockServer::start().await;
    for (of, body) in [
        ("/2/users/42/followers", json!({"data": [ada()], "meta": {"result_count": 1}})),
        ("/2/users/42/mentions", json!({"meta": {"result_count": 0}})),
    ] {
        let answer = ResponseTemplate::new(200).set_body_json(body);
        Mock::given(path(of)).respond_with(answer).mount(&fake).await;
    }
    let run = rehearsal(&fake).run().await;
    let follow = run.activities().next().expect("an activity");
    // The digest of `7505382>42-follow-0-twitter`, by another tool.
    assert_eq!(
        (follow.kind.as_str(), follow.source_id.as_str()),
        ("follow", "gen-c1d966065824df3a57c519dd17a79a7f")
    );
    assert_eq!(follow.timestamp, DateTime::UNIX_EPOCH, "X does not say since when");
    assert_eq!(follow.url.as_deref(), Some("https://twitter.com/ada_l"));
    assert_eq!((follow.score, follow.is_contribution), (2, false));
    assert_eq!(follow.member.identity.source_id.as_deref(), Some("7505382"));
    assert_eq!(follow.member.reach["twitter"], 1815);
}

#[tokio::test]
async fn what_somebody_wrote_who_is_not_shown_is_theirs_by_number() {
    let errors = json!([{"title": "Forbidden", "detail": "User has been suspended: [7505382].", "type": "…"}]);
    let fake =
        listing(json!({"data": [post()], "errors": errors, "meta": {"result_count": 1}})).await;
    let run = rehearsal(&fake).run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");
    let identity = &run.activities().next().expect("an activity").member.identity;
    assert_eq!((identity.username.as_str(), identity.source_id.as_deref()), ("", Some("7505382")));
}

#[tokio::test]
async fn an_empty_page_in_the_middle_is_not_the_end() {
    let fake = MockServer::start().await;
    let answer = |body| ResponseTemplate::new(200).set_body_json(body);
    let empty = json!({"meta": {"result_count": 0, "next_token": "b"}});
    let last =
        json!({"data": [post()], "includes": {"users": [ada()]}, "meta": {"result_count": 1}});
    let mentions = || Mock::given(path("/2/users/42/mentions"));
    mentions()
        .and(query_param_is_missing("pagination_token"))
        .respond_with(answer(empty))
        .mount(&fake)
        .await;
    mentions()
        .and(query_param("pagination_token", "b"))
        .respond_with(answer(last))
        .mount(&fake)
        .await;
    let nobody = answer(json!({"meta": {"result_count": 0}}));
    Mock::given(path("/2/users/42/followers")).respond_with(nobody).mount(&fake).await;
    let run = rehearsal(&fake).run().await;
    assert_eq!((&run.ending, run.activities().count()), (&Ending::Processed, 1), "{run}");
}

#[tokio::test]
async fn an_answer_that_is_neither_a_list_nor_a_reason_is_tried_again() {
    let fake = listing(json!({"data": [post()]})).await;
    let run = rehearsal(&fake).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Hole { streams: 1 }, 5), "{run}");
}

#[tokio::test]
async fn requests_carry_the_token_and_errors_tell_nothing() {
    let fake = MockServer::start().await;
    let spoilt = json!({"data": [{"id": "1", "text": "private words"}], "meta": {}});
    let answer = ResponseTemplate::new(200).set_body_json(spoilt);
    let bearer = header("authorization", "Bearer the-token");
    Mock::given(path("/2/users/42/mentions"))
        .and(bearer)
        .respond_with(answer)
        .expect(5)
        .mount(&fake)
        .await;
    let credential = Credential::Secret { secret: "the-token".to_owned().into() };
    let run = rehearsal(&fake).credential(credential).run().await.to_string();
    assert!(run.contains("/2/users/42/mentions"), "{run}");
    assert!(!run.contains("private") && !run.contains("the-token"), "{run}");
}
