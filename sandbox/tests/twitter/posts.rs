//! Mentions and the recent search.

use chrono::TimeDelta;
use sandbox::twitter::{Community, PostId, Standing, UserId};

use crate::client::{Asking, each};

const RUST: &str = "/2/tweets/search/recent?query=%23rust";

/// Ada writes to acme.
async fn community() -> (Asking, UserId, UserId) {
    let mut community = Community::empty();
    let acme = community.add_user("acme", "Acme");
    let ada = community.add_user("ada", "Ada");
    (Asking::of(community, acme).await, acme, ada)
}

fn write(asking: &Asking, author: UserId, text: &str) -> PostId {
    asking.x.edit(|community| {
        let id = community.post(author, text);
        community.pass(TimeDelta::minutes(1));
        id
    })
}

async fn texts(asking: &Asking, path: &str) -> Vec<String> {
    each(&asking.json(path).await["data"], "text").into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_search_finds_a_hashtag_in_any_case_the_latest_first() {
    let (asking, _, ada) = community().await;
    for text in ["#Rust", "#rusty", "no rust", "I <3 #RUST & you"] {
        write(&asking, ada, text);
    }
    assert_eq!(texts(&asking, RUST).await, ["I &lt;3 #RUST &amp; you", "#Rust"]);
}

#[tokio::test]
async fn mentions_are_of_the_account_whatever_its_name_is_now() {
    let (asking, acme, ada) = community().await;
    write(&asking, ada, "hello @ACME");
    let path = format!("/2/users/{acme}/mentions");
    assert_eq!(texts(&asking, &path).await, ["hello @ACME"]);
    asking.x.edit(|community| community.rename_user(acme, "acme_inc"));
    write(&asking, ada, "hello @acme_inc");
    assert_eq!(texts(&asking, &path).await, ["hello @acme_inc"]);
}

#[tokio::test]
async fn the_search_knows_seven_days_and_refuses_to_be_asked_for_more() {
    let (asking, _, ada) = community().await;
    let old = write(&asking, ada, "#rust, long ago");
    asking.x.edit(|community| community.pass(TimeDelta::days(7)));
    write(&asking, ada, "#rust, today");
    assert_eq!(texts(&asking, RUST).await, ["#rust, today"]);
    let refused = asking.refusal(&format!("{RUST}&since_id={old}")).await;
    assert!(
        refused.starts_with("'since_id' must be a tweet id created after 2024-04-25T"),
        "{refused}"
    );
    let refused = asking.refusal(&format!("{RUST}&start_time=2024-04-25T11:00:00Z")).await;
    assert!(refused.contains("'start_time' must be on or after 2024-04-25T"), "{refused}");
}

#[tokio::test]
async fn posts_since_a_time_or_a_post_are_listed_and_not_since_both() {
    let (asking, acme, ada) = community().await;
    let first = write(&asking, ada, "#rust @acme 1");
    let since = asking.x.look(Community::now).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    write(&asking, ada, "#rust @acme 2");
    for list in [RUST.to_owned(), format!("/2/users/{acme}/mentions?max_results=5")] {
        for bound in [format!("since_id={first}"), format!("start_time={since}")] {
            assert_eq!(
                texts(&asking, &format!("{list}&{bound}")).await,
                ["#rust @acme 2"],
                "{list}&{bound}"
            );
        }
        asking.refusal(&format!("{list}&since_id={first}&start_time={since}")).await;
    }
}

#[tokio::test]
async fn lists_go_on_page_by_page_though_somebody_writes_meanwhile() {
    let (asking, _, ada) = community().await;
    for number in 0..25 {
        write(&asking, ada, &format!("#rust {number}"));
    }
    let first = asking.json(&format!("{RUST}&max_results=10")).await;
    write(&asking, ada, "#rust, meanwhile");
    let token = first["meta"]["next_token"].as_str().unwrap();
    let second = texts(&asking, &format!("{RUST}&max_results=10&next_token={token}")).await;
    assert_eq!((second[0].as_str(), second.len()), ("#rust 14", 10));
    let pages = asking.pages(&format!("{RUST}&max_results=10"), "next_token").await;
    let counts: Vec<_> = pages.iter().map(|page| page["meta"]["result_count"].as_u64()).collect();
    assert_eq!(counts, [Some(10), Some(10), Some(6)]);
}

#[tokio::test]
async fn a_post_is_listed_only_once_it_is_indexed() {
    let (asking, _, ada) = community().await;
    asking.x.edit(|community| community.post(ada, "#rust"));
    assert!(texts(&asking, RUST).await.is_empty());
    asking.x.edit(|community| community.pass(TimeDelta::seconds(10)));
    assert_eq!(texts(&asking, RUST).await.len(), 1);
}

#[tokio::test]
async fn an_edit_has_another_id_and_tells_the_first() {
    let (asking, _, ada) = community().await;
    let first = write(&asking, ada, "#rust with a tpyo");
    let second = asking.x.edit(|community| {
        let second = community.edit_post(first, "#rust without");
        community.pass(TimeDelta::minutes(1));
        second
    });
    let page = asking.json(RUST).await;
    assert_eq!(page["meta"]["result_count"], 1);
    assert_eq!(page["data"][0]["id"], second.to_string());
    let history = serde_json::json!([first.to_string(), second.to_string()]);
    assert_eq!(page["data"][0]["edit_history_tweet_ids"], history);
}

#[tokio::test]
async fn what_was_deleted_or_is_hidden_with_its_author_is_not_listed() {
    let (asking, _, ada) = community().await;
    let bob = asking.x.edit(|community| community.add_user("bob", "Bob"));
    let eve = asking.x.edit(|community| community.add_user("eve", "Eve"));
    let deleted = write(&asking, ada, "#rust 1");
    write(&asking, bob, "#rust 2");
    write(&asking, eve, "#rust 3");
    write(&asking, ada, "#rust 4");
    asking.x.edit(|community| {
        community.delete_post(deleted);
        community.set_standing(bob, Standing::Suspended);
        community.set_standing(eve, Standing::Protected);
    });
    assert_eq!(texts(&asking, RUST).await, ["#rust 4"]);
    let expected = asking.x.look(|community| community.expected_hashtag("rust"));
    assert_eq!(expected.len(), 1);
}

#[tokio::test]
async fn no_more_than_eight_hundred_mentions_are_ever_listed() {
    let (asking, acme, ada) = community().await;
    asking.x.edit(|community| {
        for number in 0..850 {
            community.post(ada, &format!("@acme {number}"));
        }
        community.pass(TimeDelta::minutes(1));
    });
    let pages = asking
        .pages(&format!("/2/users/{acme}/mentions?max_results=100"), "pagination_token")
        .await;
    assert_eq!(pages.len(), 8);
}
