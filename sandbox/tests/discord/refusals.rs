//! Whom it lets in, and where.

use sandbox::discord::{ALWAYS, Community, Discord, Fault, Kind, StatusCode};

use crate::client::{ask, ask_as, ids, json, refusal};

#[tokio::test]
async fn only_the_bots_token_is_taken_and_only_as_a_bots() {
    let discord = Discord::serve(Community::empty()).await.unwrap();
    for wrong in ["", "Bot of-somebody-else", &format!("Bearer {}", sandbox::discord::TOKEN)] {
        assert_eq!(ask_as(&discord, "/users/@me", wrong).await.status(), 401, "{wrong}");
    }
    assert_eq!(json(&discord, "/users/@me").await["username"], "millrace");
}

#[tokio::test]
async fn a_closed_channel_refuses_a_closed_history_is_empty_and_both_are_listed() {
    let mut community = Community::empty();
    let ada = community.add_user("ada");
    let [private, forgetful] = ["private", "forgetful"].map(|name| {
        let channel = community.add_channel(Kind::Text, name);
        community.post(channel, ada, "Hello!");
        channel
    });
    community.hide(private);
    community.hide_history(forgetful);
    let guild = community.guild;
    let discord = Discord::serve(community).await.unwrap();
    assert_eq!(refusal(&discord, &format!("/channels/{private}/messages")).await, (403, 50001));
    let empty = json(&discord, &format!("/channels/{forgetful}/messages")).await;
    assert_eq!(ids(&empty).len(), 0);
    let channels = json(&discord, &format!("/guilds/{guild}/channels")).await;
    assert_eq!(ids(&channels), [private.0, forgetful.0]);
}

#[tokio::test]
async fn what_is_not_there_is_named_by_its_code() {
    let community = Community::empty();
    let guild = community.guild;
    let discord = Discord::serve(community).await.unwrap();
    assert_eq!(refusal(&discord, "/guilds/5").await, (404, 10004));
    assert_eq!(refusal(&discord, "/channels/5/messages").await, (404, 10003));
    assert_eq!(refusal(&discord, &format!("/guilds/{guild}/members/5")).await, (404, 10007));
    assert_eq!(
        refusal(&discord, &format!("/guilds/{guild}/members?limit=1001")).await,
        (400, 50035)
    );
    assert_eq!(refusal(&discord, "/nothing").await, (404, 0));
}

#[tokio::test]
async fn a_bot_without_intents_sees_no_members_and_no_words() {
    let mut community = Community::empty();
    let ada = community.add_user("ada");
    let general = community.add_channel(Kind::Text, "general");
    community.post(general, ada, "Hello!");
    community.members_intent = false;
    community.content_intent = false;
    let guild = community.guild;
    let discord = Discord::serve(community).await.unwrap();
    assert_eq!(refusal(&discord, &format!("/guilds/{guild}/members")).await, (403, 50001));
    let messages = json(&discord, &format!("/channels/{general}/messages")).await;
    assert_eq!(messages[0]["content"], "");
    assert_eq!(json(&discord, "/applications/@me").await["flags"], 0);
}

#[tokio::test]
async fn a_private_thread_is_seen_by_who_was_invited_or_manages_threads() {
    let mut community = Community::empty();
    let general = community.add_channel(Kind::Text, "general");
    let thread = community.start_private_thread(general, "Between us");
    community.archive(thread);
    let discord = Discord::serve(community).await.unwrap();
    let [all, joined] = ["threads", "users/@me/threads"]
        .map(|of| format!("/channels/{general}/{of}/archived/private"));
    assert_eq!(refusal(&discord, &all).await, (403, 50001));
    assert_eq!(ids(&json(&discord, &joined).await["threads"]).len(), 0);
    discord.edit(|community| community.invite_bot(thread));
    assert_eq!(ids(&json(&discord, &joined).await["threads"]), [thread.0]);
    discord.edit(Community::let_bot_manage_threads);
    assert_eq!(ids(&json(&discord, &all).await["threads"]), [thread.0]);
}

#[tokio::test]
async fn a_fault_spoils_so_many_answers_as_it_was_told() {
    let discord = Discord::serve(Community::empty()).await.unwrap();
    discord.misbehave("/users", 2, Fault::Status(StatusCode::BAD_GATEWAY));
    for status in [502, 502, 200] {
        assert_eq!(ask(&discord, "/users/@me").await.status(), status);
    }
    discord.misbehave("", ALWAYS, Fault::WrongJson);
    assert!(json(&discord, "/users/@me").await.get("id").is_none());
    discord.behave();
    assert!(json(&discord, "/users/@me").await.get("id").is_some());
}
