//! Followers and look-ups.

use reqwest::StatusCode;
use sandbox::twitter::{Community, SCOPES, Standing, UserId};

use crate::client::{Asking, app, ask_as, each};

async fn followed_by(count: usize) -> (Asking, UserId) {
    let mut community = Community::empty();
    let acme = community.add_user("acme", "Acme");
    for number in 0..count {
        let follower = community.add_user(&format!("user{number}"), "Somebody");
        community.follow(follower, acme);
    }
    (Asking::of(community, acme).await, acme)
}

#[tokio::test]
async fn followers_come_the_latest_first_and_page_by_page() {
    let (asking, acme) = followed_by(7).await;
    let path = format!("/2/users/{acme}/followers?max_results=3");
    let pages = asking.pages(&path, "pagination_token").await;
    let names: Vec<_> = pages.iter().map(|page| each(&page["data"], "username")).collect();
    assert_eq!(
        names,
        [vec!["user6", "user5", "user4"], vec!["user3", "user2", "user1"], vec!["user0"]]
    );
    assert_eq!(pages[1]["meta"]["result_count"], 3);
}

#[tokio::test]
async fn who_leaves_and_comes_back_is_the_latest() {
    let (asking, acme) = followed_by(3).await;
    asking.x.edit(|community| {
        let first = community.user_named("user0").unwrap().id;
        community.unfollow(first, acme);
        community.follow(first, acme);
    });
    let page = asking.json(&format!("/2/users/{acme}/followers")).await;
    assert_eq!(each(&page["data"], "username"), ["user0", "user2", "user1"]);
}

#[tokio::test]
async fn lists_leave_out_who_is_suspended_or_gone() {
    let (asking, acme) = followed_by(3).await;
    asking.x.edit(|community| {
        for (name, standing) in [("user0", Standing::Suspended), ("user1", Standing::Deleted)] {
            let id = community.user_named(name).unwrap().id;
            community.set_standing(id, standing);
        }
    });
    let page = asking.json(&format!("/2/users/{acme}/followers")).await;
    assert_eq!(each(&page["data"], "username"), ["user2"]);
    let gone = asking.x.look(|community| community.user_named("user1").unwrap().id);
    let nobody = asking.json(&format!("/2/users/{gone}/followers")).await;
    assert_eq!(nobody["errors"][0]["title"], "Not Found Error");
    assert!(nobody.get("meta").is_none() && nobody.get("data").is_none(), "{nobody}");
}

#[tokio::test]
async fn names_are_looked_up_together_and_each_that_is_nobodys_is_said() {
    let (asking, _) = followed_by(3).await;
    asking.x.edit(|community| {
        let id = community.user_named("user1").unwrap().id;
        community.set_standing(id, Standing::Suspended);
    });
    let found = asking.json("/2/users/by?usernames=USER0,user1,nobody").await;
    assert_eq!(each(&found["data"], "username"), ["user0"]);
    assert_eq!(each(&found["errors"], "title"), ["Forbidden", "Not Found Error"]);
}

#[tokio::test]
async fn one_name_that_cannot_be_spoils_the_whole_look_up() {
    let (asking, _) = followed_by(1).await;
    for names in ["user0,sixteen_letters_", "user0,a-b", "user0,", ""] {
        let refused = asking.refusal(&format!("/2/users/by?usernames={names}")).await;
        assert!(refused.contains("does not match"), "{refused}");
    }
    let many = vec!["user0"; 101].join(",");
    let refused = asking.refusal(&format!("/2/users/by?usernames={many}")).await;
    assert!(refused.contains("between 1 and 100"), "{refused}");
}

#[tokio::test]
async fn parameters_outside_of_their_bounds_are_refused() {
    let (asking, acme) = followed_by(1).await;
    for query in
        ["max_results=0", "max_results=1001", "pagination_token=made-up", "user.fields=mood"]
    {
        asking.refusal(&format!("/2/users/{acme}/followers?{query}")).await;
    }
}

#[tokio::test]
async fn followers_take_a_scope_of_their_own() {
    let (asking, acme) = followed_by(1).await;
    let path = format!("/2/users/{acme}/followers");
    for (scopes, status) in
        [(&["tweet.read", "users.read"][..], StatusCode::FORBIDDEN), (SCOPES, StatusCode::OK)]
    {
        let tokens = asking.x.grant(&app(), acme, scopes);
        assert_eq!(ask_as(&asking.x, &tokens.access_token, &path).await.status(), status);
    }
}
