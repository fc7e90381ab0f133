//! What Slack refuses, by its name, and what becomes of the run.

use super::*;
use crate::integrations::slack::refusal::Refusal;

/// An onboarding in which this method says no once with this error, or as often as it is asked.
async fn refused(method: &str, times: u32, error: &'static str) -> Rehearsed {
    let talk = Talk::begin().await;
    talk.slack.misbehave(method, times, Fault::Says(error));
    onboarding(&talk.slack).run().await
}

#[tokio::test]
async fn a_refused_token_stops_the_run_and_asks_to_reconnect_wherever_it_is_said() {
    let methods =
        ["users.list", "conversations.list", "conversations.history", "conversations.replies"];
    for error in
        ["invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"]
    {
        for method in methods {
            let run = refused(method, 1, error).await;
            assert_eq!(run.ending, Ending::NeedsReconnect, "{method} {error}: {run}");
            assert!(run.to_string().contains(error), "{run}");
        }
    }
}

#[tokio::test]
async fn a_limit_said_under_status_200_delays_and_costs_no_attempt() {
    for error in ["ratelimited", "rate_limited"] {
        let run = refused("conversations.history", 1, error).await;
        assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
        assert_eq!(run.waits.len(), 1, "{run}");
    }
}

#[tokio::test]
async fn slacks_own_troubles_are_tried_again() {
    for error in ["internal_error", "fatal_error", "service_unavailable", "request_timeout", "new"]
    {
        let run = refused("conversations.history", 1, error).await;
        assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 1), "{error}: {run}");
    }
}

#[tokio::test]
async fn a_channel_that_is_closed_to_us_is_given_up_at_once_and_the_others_are_read() {
    let closed =
        ["not_in_channel", "channel_not_found", "is_archived", "missing_scope", "invalid_cursor"];
    for error in closed {
        let talk = Talk::begin().await;
        talk.slack.edit(|workspace| {
            let random = workspace.add_channel("random");
            workspace.post(&random, &talk.ada, "still read");
        });
        talk.slack.misbehave("conversations.history", 1, Fault::Says(error));
        let run = onboarding(&talk.slack).run().await;
        assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{error}: {run}");
        assert_eq!((run.attempts_spent, found(&[&run]).len()), (1, 1), "{error}: {run}");
    }
}

#[tokio::test]
async fn a_missing_scope_is_named_and_condemns_no_credential() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| workspace.grants.scopes.remove("groups:read"));
    let run = onboarding(&talk.slack).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    assert!(
        run.to_string().contains(
            "the app lacks the scope `groups:read`; add it, or set `private_channels` to false"
        ),
        "{run}"
    );
    let public = onboarding(&talk.slack).settings(json!({"private_channels": false}));
    assert_eq!(public.run().await.ending, Ending::Processed);
}

#[tokio::test]
async fn a_private_channel_whose_messages_are_not_granted_is_given_up_alone() {
    let slack = serve(Workspace::realistic(7, 100)).await;
    slack.edit(|workspace| workspace.grants.scopes.remove("groups:history"));
    let run = onboarding(&slack).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    assert!(run.to_string().contains("the app lacks the scope `groups:history`"), "{run}");
}

#[tokio::test]
async fn an_error_outside_of_slacks_words_is_tried_again_and_then_a_hole() {
    let talk = Talk::begin().await;
    talk.slack.misbehave(
        "conversations.replies",
        1,
        Fault::Status(StatusCode::SERVICE_UNAVAILABLE),
    );
    let run = onboarding(&talk.slack).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 1), "{run}");
}

#[test]
fn every_documented_refusal_has_its_outcome() {
    let outcome = |error: &str| {
        let refusal: Refusal = serde_json::from_value(json!({"error": error})).expect("a refusal");
        match refusal.into_error("conversations.history") {
            SyncError::Unauthorized(_) => "reconnect",
            SyncError::Permanent(_) => "never",
            SyncError::Other(_) => "again",
            SyncError::RateLimited { .. } | SyncError::OverQuota { .. } => "not now",
        }
    };
    for (error, expected) in [
        ("invalid_auth", "reconnect"),
        ("not_authed", "reconnect"),
        ("account_inactive", "reconnect"),
        ("token_revoked", "reconnect"),
        ("token_expired", "reconnect"),
        ("not_allowed_token_type", "reconnect"),
        ("org_login_required", "again"),
        ("ekm_access_denied", "never"),
        ("access_denied", "never"),
        ("no_permission", "never"),
        ("enterprise_is_restricted", "never"),
        ("missing_scope", "never"),
        ("not_in_channel", "never"),
        ("channel_not_found", "never"),
        ("is_archived", "never"),
        ("thread_not_found", "never"),
        ("user_not_found", "never"),
        ("user_not_visible", "never"),
        ("invalid_cursor", "never"),
        ("invalid_limit", "never"),
        ("invalid_arguments", "never"),
        ("invalid_ts_oldest", "never"),
        ("limit_required", "never"),
        ("missing_argument", "never"),
        ("method_deprecated", "never"),
        ("team_added_to_org", "again"),
        ("request_timeout", "again"),
        ("internal_error", "again"),
        ("fatal_error", "again"),
        ("service_unavailable", "again"),
        ("", "again"),
    ] {
        assert_eq!(outcome(error), expected, "{error}");
    }
}

#[tokio::test]
async fn no_error_and_no_state_tells_the_token() {
    let talk = Talk::begin().await;
    let wrong = onboarding(&talk.slack).credential(secret("xoxb-wrong-secret")).run().await;
    assert_eq!(wrong.ending, Ending::NeedsReconnect);
    assert!(!wrong.to_string().contains("xoxb"), "{wrong}");
    let right = onboarding(&talk.slack).run().await;
    assert!(!format!("{right} {:?} {:?}", right.state, right.operations).contains("xoxb"));
}
