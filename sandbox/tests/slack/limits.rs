use sandbox::slack::{Distribution, Fault, Pace, TOKEN, Workspace};

use crate::client::{ask, ask_with, serve};

#[tokio::test]
async fn an_unlisted_app_gets_fifteen_messages_once_a_minute() {
    let mut workspace = Workspace::realistic(7, 300);
    workspace.grants.distribution = Distribution::Unlisted;
    let slack = serve(workspace).await;
    slack.limit(Some(Pace::Clock));
    let channel = slack.look(|it| it.channels().next().expect("a channel").id.to_string());
    let history = [("channel", channel.as_str()), ("limit", "200")];
    let first = ask(&slack, "conversations.history", &history).await;
    assert_eq!(first["messages"].as_array().map(Vec::len), Some(15));
    let (status, second) = ask_with(&slack, Some(TOKEN), "conversations.history", &history).await;
    assert_eq!((status, &second["error"]), (429, &"ratelimited".into()));
    assert_eq!(slack.refused_count(), 1);
    assert_eq!(ask(&slack, "users.list", &[]).await["ok"], true);
}

#[tokio::test]
async fn faults_come_in_the_order_in_which_they_were_arranged() {
    let slack = serve(Workspace::empty()).await;
    slack.misbehave("auth.test", 1, Fault::Says("fatal_error"));
    slack.misbehave("auth.test", 1, Fault::RateLimited(3));
    assert_eq!(ask(&slack, "auth.test", &[]).await["error"], "fatal_error");
    assert_eq!(ask_with(&slack, Some(TOKEN), "auth.test", &[]).await.0, 429);
    assert_eq!(ask(&slack, "auth.test", &[]).await["ok"], true);
    assert_eq!(slack.requests_of("auth.test"), 3);
}
