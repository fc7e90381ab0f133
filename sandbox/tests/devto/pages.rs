//! Lists of articles.

use sandbox::devto::{Community, Devto, UserId};
use serde_json::json;

use crate::client::{each, json, refusal};

fn with_articles(count: usize) -> (Community, UserId) {
    let mut community = Community::empty();
    let author = community.add_user("grace", "Grace Okafor");
    for number in 0..count {
        community.add_article(author, &format!("Article {number}"));
    }
    (community, author)
}

#[tokio::test]
async fn pages_come_newest_first_and_end_with_an_empty_one() {
    let devto = Devto::serve(with_articles(7).0).await.unwrap();
    let mut titles = Vec::new();
    for page in 1.. {
        let articles =
            json(&devto, &format!("/api/articles?username=grace&page={page}&per_page=3")).await;
        if articles == json!([]) {
            assert_eq!(page, 4);
            break;
        }
        titles.extend(each(&articles, "title").into_iter().cloned());
    }
    let expected: Vec<_> = (0..7).rev().map(|number| format!("Article {number}")).collect();
    assert_eq!(titles, expected);
}

#[tokio::test]
async fn a_page_holds_thirty_articles_and_at_most_a_thousand() {
    let devto = Devto::serve(with_articles(1002).0).await.unwrap();
    let length = async |query: &str| {
        let articles = json(&devto, &format!("/api/articles?username=grace{query}")).await;
        articles.as_array().unwrap().len()
    };
    assert_eq!(length("").await, 30);
    assert_eq!(length("&per_page=1001").await, 1000);
    assert_eq!(length("&per_page=1001&page=2").await, 2);
}

#[tokio::test]
async fn an_organization_lists_its_own_articles_whoever_wrote_them() {
    let mut community = Community::empty();
    let [grace, omar] = ["grace", "omar"].map(|name| community.add_user(name, name));
    let loom = community.add_organization("brightloom", "Brightloom");
    community.add_article(grace, "Mine");
    community.add_article_for(loom, grace, "Ours");
    community.add_article_for(loom, omar, "Ours too");
    let devto = Devto::serve(community).await.unwrap();

    let theirs = json(&devto, "/api/organizations/brightloom/articles").await;
    assert_eq!(each(&theirs, "title"), ["Ours too", "Ours"]);
    assert_eq!(theirs[0]["organization"]["username"], "brightloom");
    assert!(theirs[0]["url"].as_str().unwrap().starts_with("https://dev.to/brightloom/ours-too-"));

    let hers = json(&devto, "/api/articles?username=grace").await;
    assert_eq!(each(&hers, "title"), ["Ours", "Mine"]);
    assert_eq!(hers[1].get("organization"), None);
    assert_eq!(json(&devto, "/api/articles?username=brightloom").await, theirs);
}

#[tokio::test]
async fn an_unknown_user_has_no_articles_and_an_unknown_organization_is_not_found() {
    let devto = Devto::serve(with_articles(1).0).await.unwrap();
    assert_eq!(json(&devto, "/api/articles?username=nobody").await, json!([]));
    let refused = refusal(&devto, "/api/organizations/nobody/articles").await;
    assert_eq!(refused, json!({"error": "not found", "status": 404}));
}

#[tokio::test]
async fn a_new_article_and_a_removed_one_show_at_once() {
    let (community, author) = with_articles(1);
    let devto = Devto::serve(community).await.unwrap();
    let new = devto.edit(|community| community.add_article(author, "Breaking news"));
    let articles = json(&devto, "/api/articles?username=grace").await;
    assert_eq!(each(&articles, "title"), ["Breaking news", "Article 0"]);

    devto.edit(|community| community.remove_article(new));
    let articles = json(&devto, "/api/articles?username=grace").await;
    assert_eq!(each(&articles, "title"), ["Article 0"]);
    refusal(&devto, &format!("/api/comments?a_id={}", new.0)).await;
}
