//! Users and organizations.

use sandbox::devto::{Community, Devto};

use crate::client::{json, refusal};

#[tokio::test]
async fn a_user_is_found_by_number_and_by_name() {
    let mut community = Community::empty();
    let zoe = community.add_user("zoe", "Zoë Müller-Weiß");
    community.user_mut(zoe).summary = Some("Ingénieure. <3 Postgres".to_owned());
    let devto = Devto::serve(community).await.unwrap();
    let user = json(&devto, &format!("/api/users/{}", zoe.0)).await;
    assert_eq!(user["name"], "Zoë Müller-Weiß");
    assert_eq!(user["summary"], "Ingénieure. <3 Postgres");
    assert_eq!(user["joined_at"], "Jan  8, 2024");
    assert_eq!(json(&devto, "/api/users/by_username?url=zoe").await, user);
}

#[tokio::test]
async fn a_user_without_a_profile_is_not_found_while_the_comments_stay() {
    let mut community = Community::empty();
    let zoe = community.add_user("zoe", "Zoë");
    let article = community.add_article(zoe, "On leaving");
    community.add_comment(article, zoe, "<p>bye</p>");
    let devto = Devto::serve(community).await.unwrap();
    devto.edit(|community| community.delete_profile(zoe));
    refusal(&devto, &format!("/api/users/{}", zoe.0)).await;
    refusal(&devto, "/api/users/by_username?url=zoe").await;
    let comments = json(&devto, &format!("/api/comments?a_id={}", article.0)).await;
    assert_eq!(comments[0]["user"]["username"], "zoe");
    assert_eq!(devto.look(Community::expected_comments).len(), 1);
}

#[tokio::test]
async fn a_renamed_user_is_the_same_user_by_another_name() {
    let mut community = Community::empty();
    let zoe = community.add_user("zoe", "Zoë");
    let article = community.add_article(zoe, "On names");
    community.add_comment(article, zoe, "<p>hello</p>");
    let devto = Devto::serve(community).await.unwrap();
    devto.edit(|community| community.rename_user(zoe, "zoe_mw"));
    let comments = json(&devto, &format!("/api/comments?a_id={}", article.0)).await;
    assert_eq!(comments[0]["user"]["username"], "zoe_mw");
    assert_eq!(comments[0]["user"]["user_id"], zoe.0);
    refusal(&devto, "/api/users/by_username?url=zoe").await;
    assert_eq!(devto.look(Community::expected_comments)[0].username, "zoe_mw");
}

#[tokio::test]
async fn nobody_is_not_found() {
    let devto = Devto::serve(Community::empty()).await.unwrap();
    for path in ["/api/users/1", "/api/users/zoe", "/api/users/by_username", "/api/nonsense"] {
        assert_eq!(refusal(&devto, path).await["error"], "not found");
    }
}

#[tokio::test]
async fn an_organization_is_found_by_name_and_by_number() {
    let mut community = Community::empty();
    let loom = community.add_organization("brightloom", "Brightloom");
    let devto = Devto::serve(community).await.unwrap();
    let organization = json(&devto, "/api/organizations/brightloom").await;
    assert_eq!(organization["name"], "Brightloom");
    assert_eq!(json(&devto, &format!("/api/organizations/{}", loom.0)).await, organization);
    refusal(&devto, "/api/organizations/dimloom").await;
}
