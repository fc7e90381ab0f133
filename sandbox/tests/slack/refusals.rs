use sandbox::slack::{TOKEN, Workspace};
use serde_json::Value;

use crate::client::{ask, ask_with, serve};

async fn error(slack: &sandbox::slack::Slack, method: &str, parameters: &[(&str, &str)]) -> Value {
    let answer = ask(slack, method, parameters).await;
    assert_eq!(answer["ok"], false, "{answer}");
    answer["error"].clone()
}

#[tokio::test]
async fn only_the_workspaces_token_opens() {
    let slack = serve(Workspace::empty()).await;
    let said = async |token| ask_with(&slack, token, "auth.test", &[]).await.1["error"].clone();
    assert_eq!(said(None).await, "not_authed");
    assert_eq!(said(Some("xoxb-other")).await, "invalid_auth");
    assert_eq!(said(Some(TOKEN)).await, Value::Null);
    slack.edit(|workspace| workspace.grants.refused_with = Some("token_revoked"));
    assert_eq!(said(Some(TOKEN)).await, "token_revoked");
}

#[tokio::test]
async fn what_is_not_there_or_not_for_the_app_is_said_by_name() {
    let mut workspace = Workspace::empty();
    let general = workspace.add_channel("general").to_string();
    let sales = workspace.add_channel("sales");
    workspace.channel_mut(&sales).has_app = false;
    let board = workspace.add_channel("board");
    let closed = workspace.channel_mut(&board);
    (closed.has_app, closed.is_private) = (false, true);
    let slack = serve(workspace).await;
    let history = "conversations.history";
    let (sales, board) = (sales.to_string(), board.to_string());
    assert_eq!(error(&slack, history, &[("channel", "C0")]).await, "channel_not_found");
    assert_eq!(error(&slack, history, &[("channel", &sales)]).await, "not_in_channel");
    assert_eq!(error(&slack, history, &[("channel", &board)]).await, "channel_not_found");
    let thread = [("channel", general.as_str()), ("ts", "1700000000.000100")];
    assert_eq!(error(&slack, "conversations.replies", &thread).await, "thread_not_found");
    let cursor = [("channel", general.as_str()), ("cursor", "made up")];
    assert_eq!(error(&slack, history, &cursor).await, "invalid_cursor");
    let limit = [("channel", general.as_str()), ("limit", "5000")];
    assert_eq!(error(&slack, history, &limit).await, "invalid_limit");
    assert_eq!(error(&slack, "users.info", &[("user", "U0")]).await, "user_not_found");
    assert_eq!(error(&slack, "chat.postMessage", &[]).await, "unknown_method");
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let slack = serve(Workspace::empty()).await;
    slack.edit(|workspace| workspace.grants.scopes.remove("groups:read"));
    let both = [("types", "public_channel,private_channel")];
    let answer = ask(&slack, "conversations.list", &both).await;
    assert_eq!(
        (&answer["error"], &answer["needed"]),
        (&"missing_scope".into(), &"groups:read".into())
    );
    assert_eq!(ask(&slack, "conversations.list", &[]).await["ok"], true);
}
