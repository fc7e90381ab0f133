//! Pages: of messages by ids, of archived threads by instants, of members by ids.

use sandbox::discord::{Community, Discord, Id, Kind};

use crate::client::{ids, json};

/// So many messages in one channel, oldest first.
async fn channel(messages: usize) -> (Discord, Id, Vec<u64>) {
    let mut community = Community::empty();
    let ada = community.add_user("ada");
    let channel = community.add_channel(Kind::Text, "general");
    let written = (0..messages).map(|number| community.post(channel, ada, &number.to_string()).0);
    let written = written.collect();
    (Discord::serve(community).await.unwrap(), channel, written)
}

#[tokio::test]
async fn messages_come_newest_first_fifty_at_a_time() {
    let (discord, channel, written) = channel(60).await;
    let page = json(&discord, &format!("/channels/{channel}/messages")).await;
    let newest: Vec<_> = written[10..].iter().rev().copied().collect();
    assert_eq!(ids(&page), newest);
}

#[tokio::test]
async fn messages_before_and_after_one_are_those_next_to_it_newest_first() {
    let (discord, channel, written) = channel(20).await;
    let middle = written[10];
    let before =
        json(&discord, &format!("/channels/{channel}/messages?limit=3&before={middle}")).await;
    assert_eq!(ids(&before), [written[9], written[8], written[7]]);
    let after =
        json(&discord, &format!("/channels/{channel}/messages?limit=3&after={middle}")).await;
    assert_eq!(ids(&after), [written[13], written[12], written[11]]);
    let none = json(&discord, &format!("/channels/{channel}/messages?after={}", written[19])).await;
    assert_eq!(ids(&none).len(), 0);
}

#[tokio::test]
async fn archived_threads_come_last_archived_first_and_say_whether_there_are_more() {
    let (discord, channel, written) = channel(3).await;
    discord.edit(|community| {
        for message in &written {
            community.start_thread(Id(*message), "Thread");
        }
        for message in [written[1], written[2], written[0]] {
            community.archive(Id(message));
        }
    });
    let path = format!("/channels/{channel}/threads/archived/public?limit=2");
    let page = json(&discord, &path).await;
    assert_eq!(
        (ids(&page["threads"]), &page["has_more"]),
        (vec![written[0], written[2]], &true.into())
    );
    let last = page["threads"][1]["thread_metadata"]["archive_timestamp"].as_str().unwrap();
    let before = last.replace('+', "%2B");
    let page = json(&discord, &format!("{path}&before={before}")).await;
    assert_eq!((ids(&page["threads"]), &page["has_more"]), (vec![written[1]], &false.into()));
}

#[tokio::test]
async fn members_come_in_the_order_of_their_ids() {
    let mut community = Community::empty();
    let [ada, ben] = ["ada", "ben"].map(|name| community.add_user(name));
    community.join(ben);
    community.join(ada);
    let guild = community.guild;
    let discord = Discord::serve(community).await.unwrap();
    let users = |list: &serde_json::Value| {
        let user =
            |member: &serde_json::Value| member["user"]["username"].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(user).collect::<Vec<_>>()
    };
    let all = json(&discord, &format!("/guilds/{guild}/members?limit=1000")).await;
    assert_eq!(users(&all), ["owner", "millrace", "ada", "ben"]);
    let after = json(&discord, &format!("/guilds/{guild}/members?limit=1000&after={ada}")).await;
    assert_eq!(users(&after), ["ben"]);
    let usual = json(&discord, &format!("/guilds/{guild}/members")).await;
    assert_eq!(users(&usual), ["owner"]);
}

#[tokio::test]
async fn whoever_writes_in_an_archived_thread_opens_it() {
    let (discord, _, written) = channel(1).await;
    let guild = discord.look(|community| community.guild);
    discord.edit(|community| {
        let thread = community.start_thread(Id(written[0]), "Thread");
        community.archive(thread);
    });
    let path = format!("/guilds/{guild}/threads/active");
    assert_eq!(ids(&json(&discord, &path).await["threads"]).len(), 0);
    discord.edit(|community| {
        let ada = community.message(Id(written[0])).author;
        community.post(Id(written[0]), ada, "Still here");
    });
    assert_eq!(ids(&json(&discord, &path).await["threads"]), written);
}
