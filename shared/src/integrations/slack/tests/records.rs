//! What becomes of a message, a join and a user.

use super::*;
use crate::integrations::slack::answers::{Conversation, Message, User};

#[tokio::test]
async fn a_reply_becomes_an_activity() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| {
        let text = format!("Ask <@{}>, see <https://example.com|this> &amp; that", talk.ben);
        let reply = workspace.reply(&talk.question, &talk.ada, &text);
        workspace.react(&reply, &talk.ben, "+1");
    });
    let run = onboarding(&talk.slack).members(people(&talk.slack)).run().await;
    let reply = run.activities().last().expect("an activity");
    assert_snapshot!(serde_json::to_string_pretty(reply).expect("JSON"), @r#"
    {
      "platform": "slack",
      "kind": "message",
      "source_id": "C00A1B2C04:1704708003.000709",
      "source_parent_id": "C00A1B2C04:1704704401.000509",
      "timestamp": "2024-01-08T10:00:03Z",
      "title": null,
      "body": "Ask @ben, see <https://example.com|this> &amp; that",
      "url": "https://acme.slack.com/archives/C00A1B2C04/p1704708003000709",
      "channel": "general",
      "attributes": {
        "attachments": [],
        "reactions": [
          {
            "count": 1,
            "name": "+1",
            "users": [
              "U00A1B2C03"
            ]
          }
        ],
        "thread": {
          "body": "Why?",
          "id": "1704704401.000509"
        }
      },
      "score": 6,
      "is_contribution": true,
      "member": {
        "identity": {
          "platform": "slack",
          "username": "",
          "source_id": "U00A1B2C02"
        },
        "display_name": null,
        "emails": [],
        "joined_at": null,
        "reach": {},
        "attributes": {}
      },
      "object_member": null
    }
    "#);
}

#[tokio::test]
async fn a_message_of_its_own_is_in_no_thread() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    let question = run.activities().next().expect("an activity");
    assert_eq!(
        (&question.source_parent_id, &question.attributes["thread"]),
        (&None, &json!(false))
    );
    assert_eq!(question.attributes["reactions"], json!([]));
    assert_eq!(question.source_id, talk.question.to_string());
}

#[test]
fn what_slack_tells_as_null_is_as_good_as_left_out() {
    let message = json!({
        "ts": "1700000000.000100", "text": null, "subtype": null, "user": null, "bot_id": null,
        "thread_ts": null, "latest_reply": null, "reply_count": null, "edited": null,
        "reactions": [{"name": "+1", "users": null, "count": null}], "attachments": null,
    });
    let message: Message = serde_json::from_value(message).expect("a message");
    assert_eq!((message.text.as_str(), message.is_answered()), ("", false));
    let none = json!({"ts": "1700000000.000100", "reactions": null});
    serde_json::from_value::<Message>(none).expect("a message");
    let channel = json!({
        "id": "C1", "name": "general", "is_member": null, "is_archived": null,
        "topic": {"value": null}, "purpose": null,
    });
    let channel: Conversation = serde_json::from_value(channel).expect("a channel");
    assert_eq!((channel.is_member, channel.description()), (false, None));
    let user =
        json!({"id": "U1", "name": "ada", "is_bot": null, "tz_label": null, "profile": null});
    let user: User = serde_json::from_value(user).expect("a user");
    assert!(user.is_person());
}

#[tokio::test]
async fn a_user_becomes_a_member() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| {
        let ada = workspace.user_mut(&talk.ada);
        "Ada Öst".clone_into(&mut ada.real_name);
        "Head of “Why?”".clone_into(&mut ada.title);
    });
    let run = onboarding(&talk.slack).run().await;
    let ada = run.members().next().expect("a member");
    assert_snapshot!(serde_json::to_string_pretty(ada).expect("JSON"), @r#"
    {
      "identity": {
        "platform": "slack",
        "username": "ada",
        "source_id": "U00A1B2C02"
      },
      "display_name": "Ada Öst",
      "emails": [
        "ada@example.com"
      ],
      "joined_at": null,
      "reach": {},
      "attributes": {
        "avatarUrl": {
          "slack": "https://avatars.slack-edge.com/U00A1B2C02_72.png"
        },
        "jobTitle": {
          "slack": "Head of “Why?”"
        },
        "sourceId": {
          "slack": "U00A1B2C02"
        },
        "timezone": {
          "slack": "Central European Time"
        }
      }
    }
    "#);
}

#[tokio::test]
async fn of_somebody_who_has_gone_what_slack_still_says_is_kept() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| workspace.user_mut(&talk.ben).deleted = true);
    let run = onboarding(&talk.slack).run().await;
    let ben = run.members().find(|it| it.identity.username == "ben").expect("a member");
    assert_eq!(ben.display_name.as_deref(), Some("ben"));
    assert!(!ben.attributes.contains_key("timezone"));
}

#[tokio::test]
async fn emails_are_told_only_to_apps_that_may_see_them() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| workspace.grants.scopes.remove("users:read.email"));
    let run = onboarding(&talk.slack).run().await;
    assert!(run.members().all(|member| member.emails.is_empty()));
}
