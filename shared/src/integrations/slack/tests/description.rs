//! What we ask and read, held against Slack's own description of its API.
//!
//! The description is older than the platform: a thread's replies are described without what other
//! messages have, and three things we rely on stand in the documentation only ([`ELSEWHERE`]).

use sandbox::slack::DESCRIPTION;

use super::*;
use crate::integrations::slack::refusal::Refusal;

fn described() -> Value {
    serde_json::from_str(DESCRIPTION).expect("JSON")
}

/// Method, path in its answer (`[]` for each entry of a list), type.
#[rustfmt::skip]
const READ: &[(&str, &str, &str)] = &[
    ("auth.test", "url", "string"),
    ("auth.test", "team", "string"),
    ("auth.test", "team_id", "string"),
    ("auth.test", "user_id", "string"),
    ("auth.test", "bot_id", "string"),
    ("conversations.list", "channels[].id", "string"),
    ("conversations.list", "channels[].name", "string"),
    ("conversations.list", "channels[].is_member", "boolean"),
    ("conversations.list", "channels[].is_archived", "boolean"),
    ("conversations.list", "channels[].topic.value", "string"),
    ("conversations.list", "channels[].purpose.value", "string"),
    ("conversations.list", "response_metadata.next_cursor", "string"),
    ("conversations.info", "channel.id", "string"),
    ("conversations.info", "channel.name", "string"),
    ("conversations.info", "channel.is_member", "boolean"),
    ("conversations.history", "messages[].ts", "string"),
    ("conversations.history", "messages[].text", "string"),
    ("conversations.history", "messages[].subtype", "string"),
    ("conversations.history", "messages[].user", "string"),
    ("conversations.history", "messages[].bot_id", "string"),
    ("conversations.history", "messages[].thread_ts", "string"),
    ("conversations.history", "messages[].latest_reply", "string"),
    ("conversations.history", "messages[].reply_count", "integer"),
    ("conversations.history", "messages[].reactions[].name", "string"),
    ("conversations.history", "messages[].reactions[].users[]", "string"),
    ("conversations.history", "messages[].reactions[].count", "integer"),
    ("conversations.history", "messages[].attachments[]", "object"),
    ("conversations.replies", "messages[].ts", "string"),
    ("conversations.replies", "messages[].text", "string"),
    ("conversations.replies", "messages[].user", "string"),
    ("conversations.replies", "messages[].thread_ts", "string"),
    ("users.list", "members[].id", "string"),
    ("users.list", "members[].name", "string"),
    ("users.list", "members[].is_bot", "boolean"),
    ("users.list", "members[].tz_label", "string"),
    ("users.list", "members[].profile.real_name", "string"),
    ("users.list", "members[].profile.email", "string"),
    ("users.list", "members[].profile.image_72", "string"),
    ("users.list", "members[].profile.title", "string"),
    ("users.list", "response_metadata.next_cursor", "string"),
    ("users.info", "user.id", "string"),
    ("users.info", "user.name", "string"),
    ("users.info", "user.is_bot", "boolean"),
    ("users.info", "user.profile.real_name", "string"),
];

/// In the documentation of `message_changed`, and of pagination.
const ELSEWHERE: &[(&str, &str)] = &[
    ("conversations.history", "messages[].edited.ts"),
    ("conversations.history", "response_metadata.next_cursor"),
    ("conversations.replies", "response_metadata.next_cursor"),
];

fn type_of(method: &str, path: &str) -> Option<String> {
    let description = described();
    let mut at = &description["paths"][format!("/{method}")]["get"]["responses"]["200"];
    for step in path.split('.') {
        let name = step.trim_end_matches("[]");
        at = &at["properties"][name];
        if step.ends_with("[]") {
            assert_eq!(at["type"], "array", "{method} {path}");
            at = &at["items"];
        }
    }
    at["type"].as_str().map(str::to_owned)
}

#[test]
fn every_field_that_is_read_is_described() {
    for (method, path, expected) in READ {
        assert_eq!(type_of(method, path).as_deref(), Some(*expected), "{method} {path}");
    }
}

#[test]
fn what_stands_elsewhere_is_still_not_described() {
    for (method, path) in ELSEWHERE {
        assert_eq!(type_of(method, path), None, "{method} {path}: now it is");
    }
}

#[tokio::test]
async fn every_request_is_described_with_its_parameters() {
    let slack = serve(Workspace::realistic(7, 600)).await;
    let run = onboarding(&slack).run().await;
    check(&slack, &run).run().await;
    let mut requests = slack.requests();
    slack.clear_requests();
    onboarding(&slack).run().await;
    let access = Access::with(secret(TOKEN));
    let mut connection = crate::sdk::RawConnection::new(json!({}), Utc::now(), access);
    erased(&slack).discover(connection.clone()).await.expect("units");
    // One that is listed, and one that is not.
    connection.units = slack.look(|it| {
        let chosen = it.channels().filter(|it| ["help", "board"].contains(&&*it.name));
        chosen.map(|it| it.id.to_string()).collect()
    });
    erased(&slack).verify(connection).await.expect_err("one is closed");
    requests.extend(slack.requests());

    let description = described();
    let mut asked = BTreeSet::new();
    for request in requests {
        let parameters = &description["paths"][format!("/{}", request.method)]["get"]["parameters"];
        let parameters = parameters.as_array().unwrap_or_else(|| panic!("{request:?}"));
        for name in request.parameters.keys() {
            assert!(parameters.contains(&json!(name)), "{name} in {request:?}");
        }
        asked.insert(format!("/{}", request.method));
    }
    let all: BTreeSet<_> =
        description["paths"].as_object().expect("paths").keys().cloned().collect();
    assert_eq!(asked, all, "some method was not asked");
}

#[test]
fn every_described_error_has_an_outcome_by_its_name() {
    let by_trying_again = ["fatal_error", "request_timeout", "team_added_to_org"];
    let description = described();
    let methods = description["paths"].as_object().expect("paths");
    let mut seen = 0;
    for (method, described) in methods {
        let errors = &described["get"]["responses"]["default"]["error"];
        for error in errors.as_array().expect("errors") {
            let refusal: Refusal =
                serde_json::from_value(json!({"error": error})).expect("a refusal");
            let outcome = refusal.into_error(method);
            let again = matches!(outcome, SyncError::Other(_));
            let name = error.as_str().expect("a name");
            assert_eq!(again, by_trying_again.contains(&name), "{method}: {name}");
            seen += 1;
        }
    }
    assert!(seen > 80, "{seen}");
}
