//! The answers have the fields and types of X's published description, which the integration is
//! held against, too.

use sandbox::twitter::{Community, DESCRIPTION};
use serde_json::Value;

use crate::client::Asking;

struct Description(Value);

impl Description {
    fn read() -> Self {
        Self(serde_json::from_str(DESCRIPTION).unwrap())
    }

    /// Every field that is always there is there, every other is known, and each has its type.
    fn check(&self, schema: &Value, value: &Value, place: &str) {
        match schema {
            Value::String(name) => match name.as_str() {
                "string" => assert!(value.is_string(), "{place}: {value}"),
                "integer" => assert!(value.is_i64(), "{place}: {value}"),
                "boolean" => assert!(value.is_boolean(), "{place}: {value}"),
                schema => self.check(&self.0["schemas"][schema], value, place),
            },
            Value::Array(of) => {
                let values = value.as_array().unwrap_or_else(|| panic!("{place}: {value}"));
                values.iter().for_each(|value| self.check(&of[0], value, place));
            }
            _ => self.check_fields(schema, value, place),
        }
    }

    fn check_fields(&self, schema: &Value, value: &Value, place: &str) {
        let fields = value.as_object().unwrap_or_else(|| panic!("{place}: {value}"));
        for name in schema["required"].as_array().unwrap() {
            let name = name.as_str().unwrap();
            assert!(fields.contains_key(name), "{place} without {name}: {value}");
        }
        for (name, value) in fields {
            let known = schema["properties"].get(name);
            // Errors have fields by their type; described here is what all have.
            let ours = place.ends_with("errors") && known.is_none();
            if !ours {
                let schema = known.unwrap_or_else(|| panic!("{place} has no {name}"));
                self.check(schema, value, &format!("{place}.{name}"));
            }
        }
    }
}

#[tokio::test]
async fn every_answer_is_as_described() {
    let (community, acme) = Community::realistic(5, 300, 400);
    let asking = Asking::of(community, acme).await;
    let description = Description::read();
    let users =
        "user.fields=description,location,profile_image_url,public_metrics,protected,url,verified";
    let posts = format!(
        "max_results=100&tweet.fields=attachments,author_id,conversation_id,created_at,entities,lang,note_tweet\
         &expansions=attachments.media_keys,author_id&media.fields=alt_text,height,url,width&{users}"
    );
    for (path, answer) in [
        (format!("/2/users/me?{users}"), "Get2UsersMeResponse"),
        (format!("/2/users/by?usernames=acme,nobody&{users}"), "Get2UsersByResponse"),
        (format!("/2/users/{acme}/followers?{users}"), "Get2UsersIdFollowersResponse"),
        (format!("/2/users/{acme}/mentions?{posts}"), "Get2UsersIdMentionsResponse"),
        (
            format!("/2/tweets/search/recent?query=%23millrace&{posts}"),
            "Get2TweetsSearchRecentResponse",
        ),
    ] {
        let body = asking.json(&path).await;
        assert!(body.get("data").is_some(), "{path}: {body}");
        description.check(&Value::from(answer), &body, answer);
    }
}

#[tokio::test]
async fn only_what_was_asked_for_and_what_always_comes_is_sent() {
    let (community, acme) = Community::realistic(5, 30, 40);
    let asking = Asking::of(community, acme).await;
    let page = asking.json(&format!("/2/users/{acme}/followers")).await;
    let fields: Vec<_> = page["data"][0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["id", "name", "username"]);
    let page = asking.json("/2/tweets/search/recent?query=%23millrace").await;
    let fields: Vec<_> = page["data"][0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["edit_history_tweet_ids", "id", "text"]);
    assert!(page.get("includes").is_none());
}
