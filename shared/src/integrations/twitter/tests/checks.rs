//! A check reads what is new and not a page more.

use chrono::TimeDelta;

use super::*;

#[tokio::test]
async fn a_check_with_nothing_new_asks_once_for_each_list_and_for_the_account() {
    let x = X::small().await;
    let onboarding = x.rehearsal().run().await;
    x.asked();
    x.edit(|community| community.pass(TimeDelta::hours(1)));
    let check = x.check(&onboarding).run().await;
    assert_eq!((&check.ending, check.requests), (&Ending::Processed, 5), "{check}");
    assert_eq!(of_kind("follow", &[&check]).len(), 0);
    assert_eq!(check.state, onboarding.state);
    let mut asked = x.asked();
    asked.sort();
    let (followers, mentions) =
        (format!("/2/users/{}/followers", x.account), format!("/2/users/{}/mentions", x.account));
    let search = "/2/tweets/search/recent".to_owned();
    assert_eq!(asked, [search.clone(), search, followers, mentions, "/2/users/me".to_owned()]);
}

#[tokio::test]
async fn the_account_is_not_asked_for_if_it_was_learnt_with_the_credential() {
    let x = X::small().await;
    let owner = Owner { id: x.account.to_string(), name: "@acme".to_owned() };
    let known = |rehearsal: Rehearsal| rehearsal.credential_of(owner.clone(), x.credential.clone());
    let onboarding = known(x.rehearsal()).run().await;
    assert_eq!(onboarding.operations.len(), x.rehearsal().run().await.operations.len());
    x.edit(|community| community.pass(TimeDelta::hours(1)));
    let check = known(x.check(&onboarding)).run().await;
    assert_eq!((&check.ending, check.requests), (&Ending::Processed, 4), "{check}");
}

#[tokio::test]
async fn a_check_reads_posts_since_the_newest_that_was_read_less_ten_minutes() {
    let x = X::small().await;
    let onboarding = x.rehearsal().run().await;
    x.asked();
    x.edit(|community| community.pass(TimeDelta::hours(1)));
    x.check(&onboarding).run().await;
    let requests = x.sim.requests();
    let search = requests.iter().find(|it| it.asks_for("query=%23wasm")).expect("a search");
    let newest = x.sim.look(|community| community.expected_hashtag("wasm")[0].created_at);
    let since =
        (newest - TimeDelta::minutes(10)).format("start_time=%Y-%m-%dT%H%%3A%M%%3A%SZ").to_string();
    assert!(search.asks_for(&since), "{since} is not in {search:?}");
}

#[tokio::test]
async fn trap_more_new_posts_than_a_page_holds_leave_no_gap() {
    let x = X::small().await;
    let onboarding = x.rehearsal().run().await;
    let ada = x.user("ada");
    x.edit(|community| {
        community.pass(TimeDelta::minutes(30));
        for number in 0..250 {
            community.post(ada, &format!("@acme look, #rust again ({number})"));
        }
    });
    x.asked();
    let check = x.check(&onboarding).run().await;
    assert_eq!(check.ending, Ending::Processed, "{check}");
    let (rust, mentions) = x.sim.look(|community| {
        (community.expected_hashtag("rust"), community.expected_mentions(x.account))
    });
    let runs = [&onboarding, &check];
    assert_eq!(as_expected(of_kind("mention", &runs).into_values().collect()), sorted(mentions));
    assert_eq!(as_expected(of_kind("hashtag", &runs).into_values().collect()), sorted(rust));
    // Three pages of each, and of the rest one.
    assert_eq!(check.requests, 1 + 1 + 3 + 3 + 1, "{check}");
}

#[tokio::test]
async fn a_list_whose_page_failed_is_read_again_from_where_it_was_and_the_others_go_on() {
    let x = X::small().await;
    let onboarding = x.rehearsal().run().await;
    let ada = x.user("ada");
    x.edit(|community| {
        community.pass(TimeDelta::minutes(30));
        for number in 0..150 {
            community.post(ada, &format!("@acme #rust {number}"));
        }
    });
    x.sim.misbehave("pagination_token", ALWAYS, Fault::Status(StatusCode::BAD_GATEWAY));
    let check = x.check(&onboarding).run().await;
    assert_eq!(check.ending, Ending::Hole { streams: 1 }, "{check}");
    let cursor = |run: &Rehearsed, list: &str| {
        let state = run.state.as_ref().expect("a state");
        let lists = state["newest_posts"].as_object().expect("lists").iter();
        lists
            .filter(|(name, _)| name.starts_with(list))
            .map(|(_, at)| at.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(cursor(&check, "mentions/"), cursor(&onboarding, "mentions/"));
    assert_ne!(cursor(&check, "hashtag/rust"), cursor(&onboarding, "hashtag/rust"));

    x.sim.behave();
    x.edit(|community| community.pass(TimeDelta::minutes(30)));
    let next = x.check(&check).run().await;
    let mentions = x.sim.look(|community| community.expected_mentions(x.account));
    let runs = [&onboarding, &check, &next];
    assert_eq!(as_expected(of_kind("mention", &runs).into_values().collect()), sorted(mentions));
}

#[tokio::test]
async fn a_post_that_x_lists_late_is_found() {
    let x = X::small().await;
    let ada = x.user("ada");
    x.edit(|community| {
        let late = community.post(ada, "#rust, but nobody sees it yet");
        let listed_at = community.now() + TimeDelta::minutes(5);
        community.post_mut(late).listed_at = listed_at;
        community.post(ada, "#rust at once");
    });
    let onboarding = x.rehearsal().run().await;
    x.edit(|community| community.pass(TimeDelta::minutes(20)));
    let check = x.check(&onboarding).run().await;
    let rust = x.sim.look(|community| community.expected_hashtag("rust"));
    let runs = [&onboarding, &check];
    assert_eq!(as_expected(of_kind("hashtag", &runs).into_values().collect()), sorted(rust));
}

#[tokio::test]
async fn a_new_hashtag_is_read_wholly_by_a_check() {
    let x = X::small().await;
    let onboarding = x.rehearsal().settings(json!({"hashtags": ["wasm"]})).run().await;
    x.edit(|community| community.pass(TimeDelta::days(2)));
    let check = x.check(&onboarding).run().await;
    assert_eq!(of_kind("hashtag", &[&onboarding]).len(), 1);
    assert_eq!(of_kind("hashtag", &[&check]).len(), 2);
}

#[tokio::test]
async fn an_edited_post_is_the_same_post_with_another_text() {
    let x = X::small().await;
    let onboarding = x.rehearsal().run().await;
    let wrong = *of_kind("hashtag", &[&onboarding]).keys().next().expect("a post");
    let id = x.sim.look(|community| {
        community.posts().find(|post| post.id.to_string() == *wrong).expect("the post").id
    });
    let newer = x.edit(|community| community.edit_post(id, "I love #rust"));
    let check = x.check(&onboarding).run().await;
    let now = of_kind("hashtag", &[&onboarding, &check]);
    assert_eq!(now.len(), 2, "an edit became a post of its own");
    assert_eq!(now[wrong].body.as_deref(), Some("I love #rust"));
    assert_eq!(now[wrong].url, Some(format!("https://twitter.com/i/status/{newer}")));
}

#[tokio::test]
async fn a_repeated_page_is_an_error_and_comes_to_an_end() {
    let x = X::small().await;
    let ada = x.user("ada");
    x.edit(|community| {
        for number in 0..150 {
            community.post(ada, &format!("#wasm {number}"));
        }
    });
    x.sim.misbehave("query=%23wasm", ALWAYS, Fault::RepeatedPage);
    let run = x.rehearsal().run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    assert!(run.to_string().contains("page 2 of the list begins as the one before"), "{run}");
}

#[tokio::test]
async fn an_access_without_credits_is_read_on_once_there_are_some() {
    let x = X::small().await;
    let onboarding = x.rehearsal().run().await;
    let ada = x.user("ada");
    x.edit(|community| community.post(ada, "@acme, are you there?"));
    x.sim.misbehave("/mentions", 1, Fault::Status(StatusCode::PAYMENT_REQUIRED));
    let check = x.check(&onboarding).run().await;
    assert_eq!((&check.ending, check.attempts_spent), (&Ending::Hole { streams: 1 }, 1), "{check}");
    let next = x.check(&check).run().await;
    let mentions = x.sim.look(|community| community.expected_mentions(x.account));
    let runs = [&onboarding, &next];
    assert_eq!(as_expected(of_kind("mention", &runs).into_values().collect()), sorted(mentions));
}
