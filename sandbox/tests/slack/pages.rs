use sandbox::slack::Workspace;

use crate::client::{all, ask, serve};

#[tokio::test]
async fn lists_go_on_behind_their_cursors() {
    let mut workspace = Workspace::empty();
    for number in 0..120 {
        workspace.add_user(&format!("u{number}"), "U");
        workspace.add_channel(&format!("c{number}"));
    }
    let slack = serve(workspace).await;
    let (channels, pages) = all(&slack, "conversations.list", "channels", &[("limit", "50")]).await;
    assert_eq!((channels.len(), pages), (120, 3));
    let (users, pages) = all(&slack, "users.list", "members", &[("limit", "50")]).await;
    // With Slack's own bot and the app.
    assert_eq!((users.len(), pages), (122, 3));
}

#[tokio::test]
async fn history_is_newest_first_and_without_replies_except_those_sent_to_the_channel() {
    let mut workspace = Workspace::empty();
    let ada = workspace.add_user("ada", "Ada");
    let general = workspace.add_channel("general");
    let root = workspace.post(&general, &ada, "root");
    workspace.reply(&root, &ada, "hidden");
    let last = workspace.broadcast(&root, &ada, "shown");
    let slack = serve(workspace).await;
    let channel = general.to_string();
    let (messages, pages) =
        all(&slack, "conversations.history", "messages", &[("channel", &channel), ("limit", "1")])
            .await;
    let texts: Vec<_> = messages.iter().map(|message| message["text"].clone()).collect();
    let joined = "<@U0MILLRACE> has joined the channel";
    assert_eq!((texts, pages), (vec!["shown".into(), "root".into(), joined.into()], 3));
    assert_eq!(messages[1]["reply_count"], 2);
    assert_eq!(messages[1]["latest_reply"], last.ts.to_string());
}

#[tokio::test]
async fn a_thread_begins_with_its_first_message_and_goes_on_oldest_first() {
    let mut workspace = Workspace::empty();
    let ada = workspace.add_user("ada", "Ada");
    let general = workspace.add_channel("general");
    let root = workspace.post(&general, &ada, "root");
    let first = workspace.reply(&root, &ada, "one");
    workspace.reply(&root, &ada, "two");
    let slack = serve(workspace).await;
    let (channel, ts, oldest) = (general.to_string(), root.ts.to_string(), first.ts.to_string());
    let texts = |parameters: Vec<(&'static str, String)>| {
        let slack = &slack;
        async move {
            let parameters: Vec<_> =
                parameters.iter().map(|(name, it)| (*name, it.as_str())).collect();
            let answer = ask(slack, "conversations.replies", &parameters).await;
            let messages = answer["messages"].as_array().expect("messages").clone();
            messages
                .iter()
                .map(|it| it["text"].as_str().expect("a text").to_owned())
                .collect::<Vec<_>>()
        }
    };
    let thread = vec![("channel", channel), ("ts", ts)];
    assert_eq!(texts(thread.clone()).await, ["root", "one", "two"]);
    let newer = thread.into_iter().chain([("oldest", oldest)]).collect();
    assert_eq!(texts(newer).await, ["root", "two"]);
}
