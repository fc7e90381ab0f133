//! The answers have the fields and types of Slack's own description.

use sandbox::slack::{DESCRIPTION, Workspace};
use serde_json::Value;

use crate::client::{ask, serve};

/// Of replies the description knows less than of other messages, and not that a text may be null.
fn mistakes(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64(),
        _ => true,
    };
    let says_nothing = schema["nullable"] == true && value.is_null();
    if !(fits || says_nothing) {
        return vec![format!("{at}: {value} is no {}", schema["type"])];
    }
    let mut mistakes = Vec::new();
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().expect("a name")).is_none() {
            mistakes.push(format!("{at}: no {name}"));
        }
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            mistakes.extend(self::mistakes(schema, value, &format!("{at}.{name}")));
        }
    }
    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
        mistakes.extend(self::mistakes(&schema["items"], value, &format!("{at}[{index}]")));
    }
    mistakes
}

#[tokio::test]
async fn every_answer_is_as_described() {
    let slack = serve(Workspace::realistic(7, 300)).await;
    let (channel, root, user) = slack.look(|workspace| {
        let channel = workspace.channels().next().expect("a channel");
        let mut messages = channel.messages().filter_map(|it| it.thread);
        let root = messages.next().expect("a thread").to_string();
        (channel.id.to_string(), root, workspace.users().next().expect("a user").id.to_string())
    });
    let description: Value = serde_json::from_str(DESCRIPTION).expect("JSON");
    let in_channel: &[_] = &[("channel", channel.as_str()), ("limit", "200")];
    for (method, parameters) in [
        ("auth.test", &[][..]),
        ("conversations.list", &[("types", "public_channel,private_channel")]),
        ("conversations.info", &[("channel", &channel)]),
        ("conversations.history", in_channel),
        ("conversations.replies", &[("channel", &channel), ("ts", &root)]),
        ("users.list", &[]),
        ("users.info", &[("user", &user)]),
    ] {
        let answer = ask(&slack, method, parameters).await;
        let schema = &description["paths"][format!("/{method}")]["get"]["responses"]["200"];
        assert!(schema.is_object(), "{method} is not described");
        let mut mistakes = mistakes(schema, &answer, method);
        mistakes
            .retain(|mistake| !(method.ends_with("replies") && mistake.ends_with("no \"user\"")));
        // Of cards, about which the description is silent.
        mistakes.retain(|mistake| !mistake.ends_with(".text: null is no \"string\""));
        assert!(mistakes.is_empty(), "{mistakes:#?}");
    }
}

#[test]
fn a_wrong_answer_is_noticed() {
    let schema = serde_json::json!({
        "type": "object", "required": ["ok"],
        "properties": {"list": {"type": "array", "items": {"type": "string"}}},
    });
    let answer = serde_json::json!({"list": ["a", 1]});
    assert_eq!(
        mistakes(&schema, &answer, "it"),
        ["it: no \"ok\"", "it.list[1]: 1 is no \"string\""]
    );
}
