//! What we send and read is held against X's published description, which the sandbox has.

use std::collections::BTreeMap;

use sandbox::twitter::{DESCRIPTION, Request};

use super::*;
use crate::integrations::twitter_reach::TwitterReach;
use crate::sdk::KnownAccount;

struct Description(Value);

impl Description {
    fn read() -> Self {
        Self(serde_json::from_str(DESCRIPTION).expect("JSON"))
    }

    /// What is wrong with a request, if anything.
    fn objection(&self, request: &Request) -> Option<String> {
        let mut segments: Vec<_> = request.path.split('/').collect();
        if let Some(id) = segments.iter_mut().find(|it| it.parse::<u64>().is_ok() && it.len() > 1) {
            *id = "{id}";
        }
        let path = segments.join("/");
        let Some(operation) = self.0["operations"].get(&path) else {
            return Some(format!("{path} is not described"));
        };
        let query = request.query.as_deref().unwrap_or_default();
        let sent: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).collect();
        let known = operation["parameters"].as_object().expect("parameters");
        let missing = known.iter().find(|(name, schema)| {
            schema["required"] == true && *name != "id" && !sent.contains_key(name.as_str())
        });
        let wrong = sent.iter().find_map(|(name, value)| match known.get(&**name) {
            None => Some(format!("{path} has no {name}")),
            Some(schema) => (!allows(schema, value)).then(|| format!("{path}: {name}={value}")),
        });
        missing.map(|(name, _)| format!("{path} without {name}")).or(wrong)
    }
}

fn allows(schema: &Value, value: &str) -> bool {
    let one_of = |allowed: &Value, value: &str| {
        allowed["enum"].as_array().is_none_or(|values| values.contains(&json!(value)))
    };
    match schema["type"].as_str().expect("a type") {
        "array" => {
            let values: Vec<_> = value.split(',').collect();
            let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX);
            values.len() as u64 <= most
                && values.iter().all(|value| one_of(&schema["items"], value))
        }
        "integer" => {
            let (least, most) = (schema["minimum"].as_u64(), schema["maximum"].as_u64());
            let allowed = least.unwrap_or(0)..=most.unwrap_or(u64::MAX);
            value.parse().is_ok_and(|value| allowed.contains(&value))
        }
        _ if schema["format"] == "date-time" => chrono::DateTime::parse_from_rfc3339(value).is_ok(),
        _ => one_of(schema, value),
    }
}

#[tokio::test]
async fn every_request_is_described() {
    let description = Description::read();
    let (community, acme) = Community::realistic(3, 1_200, 400);
    let x = X::of(community, acme).await;
    let tags = json!({"hashtags": ["millrace", "rustlang"]});
    let onboarding = x.rehearsal().settings(tags.clone()).run().await;
    x.check(&onboarding).settings(tags).run().await;
    let reach = TwitterReach::at(&x.sim.url()).expect("an integration");
    let known = KnownAccount { username: "acme".to_owned(), source_id: None, reach: None };
    Rehearsal::of(reach)
        .credential(x.credential.clone())
        .members(vec![("twitter", known)])
        .run()
        .await;

    let requests = x.sim.requests();
    let objections: Vec<_> = requests.iter().filter_map(|it| description.objection(it)).collect();
    assert!(objections.is_empty(), "{objections:#?}");
    let paths: std::collections::BTreeSet<_> = requests.iter().map(|it| &it.path).collect();
    assert_eq!(paths.len(), 5, "not every question was asked: {paths:?}");
}

#[test]
fn what_is_not_described_would_be_noticed() {
    let description = Description::read();
    let objection = |path: &str, query: &str| {
        let query = Some(query.to_owned());
        description.objection(&Request { path: path.to_owned(), query, status: None })
    };
    assert_eq!(objection("/2/users/17/followers", "max_results=1000"), None);
    for (path, query) in [
        ("/2/users/17/following", ""),
        ("/2/users/17/followers", "max_results=1001"),
        ("/2/users/17/followers", "next_token=t"),
        ("/2/users/17/mentions", "max_results=4"),
        ("/2/users/17/mentions", "start_time=yesterday"),
        ("/2/users/17/mentions", "tweet.fields=id,mood"),
        ("/2/tweets/search/recent", "max_results=10"),
    ] {
        assert!(objection(path, query).is_some(), "{path}?{query}");
    }
}

#[test]
fn every_field_that_is_read_is_described() {
    let description = Description::read();
    let schemas = &description.0["schemas"];
    for (schema, fields) in [
        ("Get2UsersMeResponse", vec!["data"]),
        ("Get2UsersByResponse", vec!["data", "errors"]),
        ("Get2UsersIdFollowersResponse", vec!["data", "errors", "meta"]),
        ("Get2UsersIdMentionsResponse", vec!["data", "errors", "includes", "meta"]),
        ("Get2TweetsSearchRecentResponse", vec!["data", "errors", "includes", "meta"]),
        ("Expansions", vec!["media", "users"]),
        ("Problem", vec!["title"]),
        ("Media", vec!["media_key", "type", "url"]),
        ("HashtagEntity", vec!["tag"]),
        (
            "User",
            vec![
                "id",
                "username",
                "name",
                "description",
                "location",
                "profile_image_url",
                "public_metrics",
            ],
        ),
        (
            "Tweet",
            vec![
                "id",
                "author_id",
                "created_at",
                "text",
                "note_tweet",
                "entities",
                "attachments",
                "edit_history_tweet_ids",
            ],
        ),
    ] {
        for field in fields {
            assert!(schemas[schema]["properties"].get(field).is_some(), "{schema}.{field}");
        }
    }
    let properties =
        |schema: &str, field: &str| schemas[schema]["properties"][field]["properties"].clone();
    assert_eq!(properties("User", "public_metrics")["followers_count"], "integer");
    assert_eq!(properties("Get2UsersIdFollowersResponse", "meta")["next_token"], "string");
    assert_eq!(properties("Tweet", "attachments")["media_keys"], json!(["string"]));
}
