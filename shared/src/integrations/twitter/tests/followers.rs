//! Which followers a check takes for new.

use std::collections::BTreeSet;

use super::*;

/// `acme` with so many followers, all of them read.
async fn followed_by(count: usize) -> (X, Vec<UserId>, Rehearsed) {
    let mut community = Community::empty();
    let acme = community.add_user("acme", "Acme, Inc.");
    let followers: Vec<_> =
        (0..count).map(|n| community.add_user(&format!("user{n}"), "Somebody")).collect();
    for &follower in &followers {
        community.follow(follower, acme);
    }
    let x = X::of(community, acme).await;
    let onboarding = rehearsal(&x).run().await;
    assert_eq!(of_kind("follow", &[&onboarding]).len(), count);
    x.sim.clear_requests();
    (x, followers, onboarding)
}

/// Of followers and mentions alone.
fn rehearsal(x: &X) -> Rehearsal {
    x.rehearsal().settings(json!({}))
}

fn check(x: &X, before: &Rehearsed) -> Rehearsal {
    rehearsal(x).check().state(before.state.clone())
}

fn join(x: &X, count: usize, prefix: &str) -> BTreeSet<String> {
    x.edit(|community| {
        let joined = (0..count).map(|n| {
            let id = community.add_user(&format!("{prefix}{n}"), "New");
            community.follow(id, x.account);
            id.to_string()
        });
        joined.collect()
    })
}

fn new_followers(run: &Rehearsed) -> BTreeSet<String> {
    let follows = of_kind("follow", &[run]).into_values();
    follows.filter_map(|follow| follow.member.identity.source_id.clone()).collect()
}

fn pages(x: &X) -> usize {
    x.asked().iter().filter(|path| path.ends_with("/followers")).count()
}

#[tokio::test]
async fn trap_a_check_does_not_read_all_followers_again() {
    let (x, _, onboarding) = followed_by(1_500).await;
    let new = join(&x, 7, "new");
    let check = check(&x, &onboarding).run().await;
    assert_eq!((new_followers(&check), pages(&x)), (new, 1));
    let at = x.sim.look(Community::now);
    assert!(of_kind("follow", &[&check]).values().all(|follow| follow.timestamp == at));
}

#[tokio::test]
async fn more_new_followers_than_a_page_holds_are_all_found() {
    let (x, _, onboarding) = followed_by(500).await;
    let new = join(&x, 320, "new");
    let first = check(&x, &onboarding).run().await;
    assert_eq!((new_followers(&first), pages(&x)), (new, 4));
    let second = check(&x, &first).run().await;
    assert_eq!((new_followers(&second).len(), pages(&x)), (0, 1));
}

#[tokio::test]
async fn somebody_who_left_and_came_back_does_not_hide_those_who_came_before_him() {
    let (x, followers, onboarding) = followed_by(300).await;
    let new = join(&x, 130, "new");
    x.edit(|community| {
        // The latest of all, and remembered.
        let back = followers[299];
        community.unfollow(back, x.account);
        community.follow(back, x.account);
    });
    let check = check(&x, &onboarding).run().await;
    assert_eq!(new_followers(&check), new);
}

#[tokio::test]
async fn when_everybody_remembered_has_left_nobody_follows_twice_and_the_check_ends() {
    let (x, followers, onboarding) = followed_by(450).await;
    x.edit(|community| {
        for &left in &followers[250..] {
            community.unfollow(left, x.account);
        }
    });
    let new = join(&x, 5, "new");
    let first = check(&x, &onboarding).run().await;
    assert_eq!((&first.ending, pages(&x)), (&Ending::Processed, 3), "{first}");
    // Those read again are the same activities, and the store keeps their first time.
    let all = of_kind("follow", &[&onboarding, &first]);
    assert_eq!(all.len(), 450 + new.len());
    let second = check(&x, &first).run().await;
    assert_eq!((new_followers(&second).len(), pages(&x)), (0, 1));
}

#[tokio::test]
async fn one_by_one_many_may_leave_and_a_check_stays_one_page() {
    let (x, followers, onboarding) = followed_by(400).await;
    let mut last = onboarding;
    for leaving in followers[250..].rchunks(25) {
        x.edit(|community| {
            for &left in leaving {
                community.unfollow(left, x.account);
            }
        });
        last = check(&x, &last).run().await;
        assert_eq!((new_followers(&last).len(), pages(&x)), (0, 1), "{last}");
    }
}

#[tokio::test]
async fn only_the_newest_followers_are_remembered() {
    let (_, followers, onboarding) = followed_by(1_300).await;
    let state = onboarding.state.expect("a state");
    let remembered: Vec<_> = state["newest_followers"]
        .as_object()
        .expect("profiles")
        .values()
        .flat_map(|ids| ids.as_array().expect("ids"))
        .collect();
    let newest: Vec<_> = followers.iter().rev().take(200).map(|id| json!(id.to_string())).collect();
    assert_eq!(remembered, newest.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_renamed_follower_is_no_second_follower() {
    let (x, followers, onboarding) = followed_by(3).await;
    x.edit(|community| community.rename_user(followers[1], "another_name"));
    let again = rehearsal(&x).run().await;
    let all = of_kind("follow", &[&onboarding, &again]);
    assert_eq!(all.len(), 3, "the other name became another follow");
    let names: BTreeSet<_> = all.values().map(|it| it.member.identity.username.as_str()).collect();
    assert!(names.contains("another_name"));
}

#[tokio::test]
async fn who_follows_two_accounts_of_one_tenant_follows_twice() {
    let (x, followers, acme) = followed_by(3).await;
    x.edit(|community| community.follow(followers[2], followers[0]));
    let other = rehearsal(&x).units(&[&followers[0].to_string()]).run().await;
    assert_eq!(of_kind("follow", &[&acme, &other]).len(), 4);
}

#[tokio::test]
async fn a_failed_page_of_followers_moves_nothing() {
    let (x, _, onboarding) = followed_by(300).await;
    let new = join(&x, 150, "new");
    x.sim.misbehave("pagination_token", ALWAYS, Fault::Status(StatusCode::BAD_GATEWAY));
    let failed = check(&x, &onboarding).run().await;
    assert_eq!(failed.ending, Ending::Hole { streams: 1 }, "{failed}");
    x.sim.behave();
    let next = check(&x, &failed).run().await;
    assert_eq!(new_followers(&next), new);
}

#[tokio::test]
async fn an_account_that_nobody_followed_is_told_of_its_first_follower() {
    let (x, _, onboarding) = followed_by(0).await;
    let new = join(&x, 1, "first");
    let check = check(&x, &onboarding).run().await;
    assert_eq!(new_followers(&check), new);
    let at = x.sim.look(Community::now);
    assert_eq!(of_kind("follow", &[&check]).values().next().expect("a follow").timestamp, at);
}
