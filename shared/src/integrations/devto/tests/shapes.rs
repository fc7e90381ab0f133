//! What we send, and what we read of the answers.

use super::*;
use crate::sdk::Access;

fn organization() -> Source {
    Source::Organization(Name::try_from("acme".to_owned()).expect("a name"))
}

fn user() -> Source {
    Source::User(Name::try_from("ben".to_owned()).expect("a name"))
}

fn api(site: &Forem) -> Api {
    Api::at(&site.0.uri(), Options::default()).expect("an API")
}

#[tokio::test]
async fn articles_are_asked_for_a_thousand_at_a_time() {
    let site = Forem::start().await;
    let page = |n| [("page", n), ("per_page", "1000")];
    site.answers("/api/organizations/acme/articles", &page("3"), json(ARTICLES)).await;
    let of_user = [("username", "ben"), ("page", "1"), ("per_page", "1000")];
    site.answers("/api/articles", &of_user, json(ARTICLES)).await;

    let articles =
        api(&site).articles(&organization(), 3, &Access::open()).await.expect("an answer").body;
    let articles = articles.expect("articles");
    assert_eq!(articles.len(), 2);
    assert_eq!(articles[0].id, 1890771);
    assert_eq!(articles[0].title, "What our queue forgot");
    assert_eq!(articles[0].url, "https://dev.to/acme/what-our-queue-forgot-3f1a");
    assert_eq!(articles[0].listed.comments_count, 3);
    assert_eq!(articles[0].listed.last_comment_at, "2024-04-20T16:41:07Z".parse().ok());
    let same = api(&site).articles(&user(), 1, &Access::open()).await.expect("an answer").body;
    assert_eq!(same, Some(articles));
}

#[tokio::test]
async fn an_article_that_was_never_commented_upon_may_say_null() {
    let site = Forem::start().await;
    let mut never = article(1, 0, 0);
    never["last_comment_at"] = Value::Null;
    site.lists("1", json!([never])).await;
    let articles =
        api(&site).articles(&organization(), 1, &Access::open()).await.expect("an answer").body;
    assert_eq!(articles.expect("articles")[0].listed.last_comment_at, None);
}

#[tokio::test]
async fn comments_are_asked_for_as_one_tree() {
    let site = Forem::start().await;
    site.answers("/api/comments", &[("a_id", "1890771")], json(COMMENTS)).await;

    let tree = api(&site)
        .comments(1890771, &Access::open())
        .await
        .expect("an answer")
        .body
        .expect("a tree");
    let comments = threads::flatten(tree).expect("comments");
    let authors: Vec<_> = comments
        .iter()
        .map(|c| (c.id_code.as_str(), c.author.as_ref().map(|author| author.username.as_str())))
        .collect();
    assert_eq!(
        authors,
        [("2f1aa", Some("asa_oest")), ("2f1bb", None), ("2f1cc", Some("ben")), ("2f1dd", None)],
    );
    let asa = comments[0].author.as_ref().expect("an author");
    assert_eq!((asa.user_id, asa.name.as_deref()), (Some(8001), Some("Åsa Öst")));
}

#[tokio::test]
async fn profiles_are_asked_for_by_number() {
    let site = Forem::start().await;
    site.answers("/api/users/8001", &[], json(USER)).await;
    let asa = api(&site)
        .profile(8001, &Access::open())
        .await
        .expect("an answer")
        .body
        .expect("a profile");
    assert_eq!((asa.id, asa.username.as_str()), (8001, "asa_oest"));
    assert_eq!(asa.summary.as_deref(), Some("Ich schreibe über Datenbanken & Fahrräder."));
    assert_eq!(asa.twitter_username.as_deref(), Some("asaoest"));
    assert_eq!(asa.github_username.as_deref(), Some("asa"));
}

#[tokio::test]
async fn owners_are_asked_for_by_name() {
    let site = Forem::start().await;
    site.answers("/api/organizations/acme", &[], json(ORGANIZATION)).await;
    site.answers("/api/users/by_username", &[("url", "ben")], json(USER)).await;
    let acme = api(&site).owner(&organization(), &Access::open()).await.expect("an answer").body;
    assert_eq!(acme.expect("acme").summary.as_deref(), Some("Everything that falls from cliffs."));
    let ben = api(&site).owner(&user(), &Access::open()).await.expect("an answer").body;
    assert_eq!(ben.expect("a user").name, "Åsa Öst");
}

#[tokio::test]
async fn what_is_gone_is_none() {
    let site = Forem::start().await;
    let api = api(&site);
    assert!(
        api.articles(&organization(), 1, &Access::open()).await.expect("an answer").body.is_none()
    );
    assert!(api.comments(1, &Access::open()).await.expect("an answer").body.is_none());
    assert!(api.profile(1, &Access::open()).await.expect("an answer").body.is_none());
    assert!(api.owner(&user(), &Access::open()).await.expect("an answer").body.is_none());
}

#[tokio::test]
async fn an_answer_of_another_shape_is_an_error_that_quotes_nobody() {
    let site = Forem::start().await;
    site.discusses("1", json!([{"id_code": 7, "body_html": "private words"}])).await;
    let error = api(&site).comments(1, &Access::open()).await.expect_err("an error");
    assert!(matches!(error, SyncError::Other(_)), "{error:?}");
    let said = format!("{error:#}");
    assert!(said.contains("/api/comments") && !said.contains("private"), "{said}");
}
