//! The recent search: seven days, and posts with more than one of the hashtags we follow.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

/// What the store makes of an activity that several pages bring, in this order: what a later one
/// leaves out stays, one level deep. As `activities.attributes || excluded.attributes` says there,
/// under the row's lock.
fn stored<'a>(pages: impl IntoIterator<Item = &'a Activity>) -> BTreeMap<String, Value> {
    pages.into_iter().flat_map(|activity| activity.attributes.clone()).collect()
}

#[tokio::test]
async fn a_post_under_two_hashtags_keeps_both() {
    let x = X::small().await;
    let run = x.rehearsal().run().await;
    let both: Vec<_> =
        run.activities().filter(|it| stored([*it]).contains_key("hashtag/wasm")).collect();
    assert_eq!(both.len(), 2, "each of the hashtags brings it");
    assert_eq!(both[0].source_id, both[1].source_id);
    assert_eq!(both[0], both[1], "whichever page comes last says the same");
    for tag in ["hashtag/rust", "hashtag/wasm"] {
        assert_eq!(both[0].attributes[tag], json!(true));
    }
    assert_eq!(both[0].attributes["hashtag"], json!("rust"));
}

proptest! {
    /// A post may not say of itself which hashtags it has: a repost that was cut off does not. Then
    /// every page knows but its own.
    #[test]
    fn both_hashtags_are_kept_in_whatever_order_the_pages_come(order in prop::collection::vec(0..2_usize, 2..6)) {
        let tags = ["rust", "wasm"].map(|tag| Hashtag::try_from(tag.to_owned()).expect("a hashtag"));
        let post = serde_json::from_value(json!({
            "id": "1", "author_id": "2", "text": "RT @a: …", "created_at": "2024-05-01T12:00:00Z",
        })).expect("a post");
        let beside = answers::Includes::default();
        let posts = records::Posts::of_kind("hashtag", &beside);
        let pages = tags.each_ref().map(|tag| posts.activity(&post, &[tag].into()));

        let seen = stored(order.iter().map(|&page| &pages[page]));
        for (page, tag) in [(0, "hashtag/rust"), (1, "hashtag/wasm")] {
            prop_assert_eq!(seen.contains_key(tag), order.contains(&page), "{:?}", seen);
        }
    }
}

#[tokio::test]
async fn a_hashtag_far_down_in_a_long_post_is_noticed_too() {
    let x = X::small().await;
    let ada = x.user("ada");
    let text = format!("#rust {} #wasm", "and so on ".repeat(40));
    x.edit(|community| community.post(ada, &text));
    let run = x.rehearsal().run().await;
    let long = run.activities().find(|it| it.body.as_deref() == Some(&text)).expect("all of it");
    assert_eq!(long.attributes["hashtag/wasm"], json!(true));
    assert_eq!(long.attributes["entities"]["hashtags"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn trap_what_was_read_more_than_seven_days_ago_is_not_asked_for() {
    let x = X::small().await;
    let onboarding = x.rehearsal().run().await;
    let ada = x.user("ada");
    x.edit(|community| {
        community.pass(TimeDelta::days(9));
        community.post(ada, "#rust again");
        community.pass(TimeDelta::days(1));
    });
    let check = x.check(&onboarding).run().await;
    assert_eq!((&check.ending, check.requests), (&Ending::Processed, 5), "{check}");
    assert_eq!(of_kind("hashtag", &[&check]).len(), 1);
}

#[tokio::test]
async fn a_search_that_is_refused_for_going_back_too_far_reads_what_there_is() {
    let x = X::small().await;
    let onboarding = x.rehearsal().run().await;
    let ada = x.user("ada");
    let before = x.sim.look(Community::now);
    x.edit(|community| {
        community.pass(TimeDelta::days(8));
        for number in 0..120 {
            community.post(ada, &format!("#rust again {number}"));
        }
    });
    // A run that began when there was still something to ask for, and has waited since.
    let check = x.check(&onboarding).at(&before.to_rfc3339()).run().await;
    assert_eq!(check.ending, Ending::Processed, "{check}");
    assert_eq!(check.attempts_spent, 0, "{check}");
    let rust = x.sim.look(|community| community.expected_hashtag("rust"));
    assert_eq!(as_expected(of_kind("hashtag", &[&check]).into_values().collect()), sorted(rust));
}

#[tokio::test]
async fn a_query_that_x_refuses_is_given_up() {
    let x = X::small().await;
    x.sim.misbehave("query=%23wasm", ALWAYS, Fault::Status(StatusCode::BAD_REQUEST));
    let run = x.rehearsal().run().await;
    assert_eq!((&run.ending, run.requests), (&Ending::Hole { streams: 1 }, 5), "{run}");
}
