//! An onboarding, with the truth at hand.

use std::collections::BTreeSet;

use insta::assert_snapshot;

use super::*;

const TAGS: [&str; 3] = ["millrace", "rustlang", "opensource"];

async fn crowd() -> X {
    let (community, acme) = Community::realistic(7, 2_500, 1_200);
    X::of(community, acme).await
}

fn everything(x: &X) -> Rehearsal {
    x.rehearsal().settings(json!({"hashtags": TAGS}))
}

fn truth(x: &X) -> [Vec<ExpectedPost>; 2] {
    x.sim.look(|community| {
        let hashtags = TAGS.iter().flat_map(|tag| community.expected_hashtag(tag)).collect();
        [sorted(hashtags), sorted(community.expected_mentions(x.account))]
    })
}

fn found(runs: &[&Rehearsed]) -> [Vec<ExpectedPost>; 2] {
    ["hashtag", "mention"].map(|kind| as_expected(of_kind(kind, runs).into_values().collect()))
}

#[tokio::test]
async fn an_onboarding_finds_every_post_and_every_follower() {
    let x = crowd().await;
    let run = everything(&x).run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");
    assert_eq!(found(&[&run]), truth(&x));

    let followers: BTreeSet<_> = x.sim.look(|community| {
        community.followers(x.account).into_iter().map(|user| user.id.to_string()).collect()
    });
    let follows = of_kind("follow", &[&run]);
    let found = follows.values().filter_map(|follow| follow.member.identity.source_id.clone());
    assert_eq!(found.collect::<BTreeSet<_>>(), followers);
    assert_eq!(follows.len(), followers.len(), "somebody follows twice");
}

#[tokio::test]
async fn an_onboarding_asks_once_for_each_full_page() {
    let x = crowd().await;
    let run = everything(&x).run().await;
    let pages = |records: usize, per_page: usize| records.div_ceil(per_page) as u64;
    let expected = x.sim.look(|community| {
        let hashtags = TAGS.map(|tag| pages(community.expected_hashtag(tag).len(), 100));
        let mentions = pages(community.expected_mentions(x.account).len(), 100);
        1 + pages(community.followers(x.account).len(), 1000)
            + mentions
            + hashtags.iter().sum::<u64>()
    });
    assert_eq!(run.requests, expected, "{run}");
    assert_eq!(x.sim.request_count(), expected);
}

#[tokio::test]
async fn resuming_costs_the_page_that_was_lost_and_nothing_else() {
    let x = crowd().await;
    let whole = everything(&x).run().await;
    let resumed = everything(&x).dying_over_every_page().run().await;
    assert_eq!(resumed.requests, 2 * whole.requests);
    assert_eq!((found(&[&resumed]), resumed.state), (truth(&x), whole.state));
}

#[tokio::test]
async fn an_onboarding_begins_with_the_account_that_lets_us_in() {
    let x = X::small().await;
    let run = x.rehearsal().run().await.to_string();
    let run = run.replace(&x.account.to_string(), "ACME");
    assert_snapshot!(run, @r#"
    the run -> 3 streams
    {"stream":"account"} -> done: 0 records, 2 new streams
    {"page":1,"stream":"hashtag","tag":"rust"} -> done: 2 records
    {"page":1,"stream":"hashtag","tag":"wasm"} -> done: 1 record
    {"page":1,"profile":"ACME","stream":"followers"} -> done: 3 records
    {"page":1,"profile":"ACME","stream":"mentions"} -> done: 2 records
    the run -> processed
    "#);
}

#[tokio::test]
async fn chosen_units_are_read_instead_of_the_account() {
    let x = X::small().await;
    let ada = x.user("ada");
    x.edit(|community| community.follow(community.user_named("bob").expect("bob").id, ada));
    let run = x.rehearsal().units(&[&ada.to_string()]).run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");
    let follows = of_kind("follow", &[&run]);
    let names: Vec<_> = follows.values().map(|it| it.member.identity.username.as_str()).collect();
    assert_eq!(names, ["bob"]);
    assert!(!x.asked().contains(&"/2/users/me".to_owned()));
}

#[tokio::test]
async fn a_profile_that_is_gone_is_an_error_and_not_an_empty_list() {
    let x = X::small().await;
    let run = x.rehearsal().units(&["404404"]).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 2 }, "{run}");
    assert!(run.to_string().contains("never: X does not show this: Not Found Error"), "{run}");
}

#[tokio::test]
async fn what_is_closed_to_this_credential_leaves_the_rest_readable() {
    let x = X::small().await;
    let app = confidential();
    let tokens = x.sim.grant(&app, x.account, &["tweet.read", "users.read"]);
    let run = x.rehearsal().credential(granted(&app, tokens)).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    assert_eq!(of_kind("follow", &[&run]).len(), 0);
    assert_eq!(of_kind("mention", &[&run]).len(), 2);
    assert_eq!(of_kind("hashtag", &[&run]).len(), 2);
}

/// A protected account, a plan that does not include an endpoint: the others are read.
#[tokio::test]
async fn a_403_ends_its_list_in_xs_words_and_condemns_no_credential() {
    let x = X::small().await;
    x.sim.misbehave("/2/tweets/search/recent", 1, Fault::Status(StatusCode::FORBIDDEN));
    let run = x.rehearsal().run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");

    x.sim.misbehave("/2/users/me", 1, Fault::Status(StatusCode::FORBIDDEN));
    let run = x.rehearsal().run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    assert!(run.to_string().contains("GET /2/users/me: answered 403 Forbidden"), "{run}");
}
