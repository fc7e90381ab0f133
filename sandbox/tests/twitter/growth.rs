//! Communities grown from a seed.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use sandbox::twitter::{Community, Standing};

use crate::client::{Asking, each};

#[test]
fn one_seed_grows_one_community() {
    assert_eq!(Community::realistic(7, 60, 90), Community::realistic(7, 60, 90));
    assert_ne!(Community::realistic(7, 60, 90).0, Community::realistic(8, 60, 90).0);
}

#[test]
fn a_community_has_what_a_synchronisation_stumbles_over() {
    let (community, acme) = Community::realistic(7, 2_500, 900);
    let followers = community.followers(acme);
    assert!((2_400..2_500).contains(&followers.len()), "{}", followers.len());
    assert!(community.users().any(|user| user.standing == Standing::Suspended));
    assert!(community.users().any(|user| user.username.len() == 15));
    assert!(community.posts().any(|post| post.versions.len() > 1));
    assert!(community.posts().any(|post| post.text.chars().count() > 280));
    let both = |tag: &str| -> BTreeSet<_> {
        community.expected_hashtag(tag).into_iter().map(|post| post.id).collect()
    };
    assert!(both("millrace").intersection(&both("rustlang")).count() > 10);
    assert!(community.expected_mentions(acme).len() > 200);
    let names: BTreeSet<_> = community.users().map(|user| &user.username).collect();
    assert_eq!(names.len(), community.users().count());
}

#[test]
fn a_community_may_have_grown_until_now() {
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    let (community, _) = Community::realistic_until(7, 50, 100, now);
    assert_eq!(community.now(), now);
    let newest = community.posts().last().unwrap().created_at;
    assert!(now - newest < TimeDelta::hours(6), "{newest}");
}

#[tokio::test]
async fn who_reads_everything_finds_exactly_what_is_expected() {
    let (community, acme) = Community::realistic(9, 120, 400);
    let asking = Asking::of(community, acme).await;
    let pages = asking
        .pages("/2/tweets/search/recent?query=%23millrace&max_results=100", "next_token")
        .await;
    let found: usize = pages.iter().map(|page| each(&page["data"], "id").len()).sum();
    let expected = asking.x.look(|community| community.expected_hashtag("millrace"));
    assert_eq!(found, expected.len());
    assert!(found > 50, "{found}");
}
