//! Trees of comments, and what editing and deleting does to them.

use sandbox::devto::{ArticleId, Community, Devto, UserId};
use serde_json::{Value, json};

use crate::client::{each, json, refusal};

struct Scene {
    devto: Devto,
    article: ArticleId,
    layla: UserId,
}

impl Scene {
    async fn set() -> Self {
        let mut community = Community::empty();
        let layla = community.add_user("layla", "ليلى الخوري");
        let article = community.add_article(layla, "On queues");
        Self { devto: Devto::serve(community).await.unwrap(), article, layla }
    }

    async fn comments(&self) -> Value {
        json(&self.devto, &format!("/api/comments?a_id={}", self.article.0)).await
    }

    async fn listed(&self, field: &str) -> Value {
        json(&self.devto, "/api/articles?username=layla").await[0][field].clone()
    }
}

#[tokio::test]
async fn replies_stand_under_what_they_answer() {
    let scene = Scene::set().await;
    let (root, reply, deeper) = scene.devto.edit(|community| {
        let root = community.add_comment(scene.article, scene.layla, "<p>one</p>");
        let reply = community.reply(root, scene.layla, "<p>two</p>");
        (root, reply, community.reply(reply, scene.layla, "<p>three</p>"))
    });
    let comments = scene.comments().await;
    assert_eq!(each(&comments, "id_code"), [&root.to_string()]);
    let children = &comments[0]["children"];
    assert_eq!(each(children, "id_code"), [&reply.to_string()]);
    assert_eq!(children[0]["children"][0]["id_code"], deeper.to_string());
    assert_eq!(children[0]["children"][0]["body_html"], "<p>three</p>");
    assert_eq!(children[0]["children"][0]["user"]["name"], "ليلى الخوري");
}

#[tokio::test]
async fn a_deleted_comment_keeps_its_place_and_its_replies_but_neither_text_nor_author() {
    let scene = Scene::set().await;
    let root = scene.devto.edit(|community| {
        let root = community.add_comment(scene.article, scene.layla, "<p>regret</p>");
        community.reply(root, scene.layla, "<p>noted</p>");
        community.delete_comment(root);
        root
    });
    let comments = scene.comments().await;
    assert_eq!(comments[0]["id_code"], root.to_string());
    assert_eq!(comments[0]["body_html"], "<p>[deleted]</p>");
    assert_eq!(comments[0]["user"], json!({}));
    assert_eq!(comments[0]["children"][0]["body_html"], "<p>noted</p>");

    let expected = scene.devto.look(Community::expected_comments);
    assert_eq!(expected.len(), 1);
    assert_eq!(expected[0].parent_id_code, Some(root.to_string()));
}

#[tokio::test]
async fn a_hidden_comment_leaves_a_tombstone_of_its_own_kind() {
    let scene = Scene::set().await;
    scene.devto.edit(|community| {
        let comment = community.add_comment(scene.article, scene.layla, "<p>rude</p>");
        community.hide_comment(comment);
    });
    let comments = scene.comments().await;
    assert_eq!(comments[0]["body_html"], "<p>[hidden by post author]</p>");
    assert_eq!(comments[0]["user"], json!({}));
    assert_eq!(scene.devto.look(Community::expected_comments), []);
}

#[tokio::test]
async fn a_deleted_comment_that_nobody_answered_is_gone() {
    let scene = Scene::set().await;
    scene.devto.edit(|community| {
        let root = community.add_comment(scene.article, scene.layla, "<p>stays</p>");
        let reply = community.reply(root, scene.layla, "<p>goes</p>");
        community.delete_comment(reply);
    });
    assert_eq!(scene.comments().await[0]["children"], json!([]));
    assert_eq!(scene.listed("comments_count").await, 1);
}

#[tokio::test]
async fn a_new_comment_shows_in_the_tree_the_count_and_the_time() {
    let scene = Scene::set().await;
    assert_eq!(scene.listed("last_comment_at").await, "2017-01-01T05:00:00Z");
    scene.devto.edit(|community| community.add_comment(scene.article, scene.layla, "<p>hi</p>"));
    assert_eq!(scene.listed("comments_count").await, 1);
    assert_eq!(scene.listed("last_comment_at").await, scene.comments().await[0]["created_at"]);
}

#[tokio::test]
async fn an_edit_shows_and_moves_the_time_of_the_last_comment_unless_edits_are_quiet() {
    let scene = Scene::set().await;
    let comment = scene
        .devto
        .edit(|community| community.add_comment(scene.article, scene.layla, "<p>retires</p>"));
    let before = scene.listed("last_comment_at").await;

    scene.devto.edit(|community| community.edit_comment(comment, "<p>retries</p>"));
    let comments = scene.comments().await;
    assert_eq!(comments[0]["body_html"], "<p>retries</p>");
    assert_eq!(comments[0]["created_at"], before);
    let edited = scene.listed("last_comment_at").await;
    assert!(edited.as_str() > before.as_str());

    scene.devto.edit(|community| {
        community.quiet_edits = true;
        community.edit_comment(comment, "<p>retrials</p>");
    });
    assert_eq!(scene.comments().await[0]["body_html"], "<p>retrials</p>");
    assert_eq!(scene.listed("last_comment_at").await, edited);
}

#[tokio::test]
async fn comments_are_paged_by_thread_only_if_a_page_is_asked_for() {
    let scene = Scene::set().await;
    scene.devto.edit(|community| {
        for number in 0..60 {
            let body = format!("<p>{number}</p>");
            let root = community.add_comment(scene.article, scene.layla, &body);
            community.reply(root, scene.layla, "<p>reply</p>");
        }
    });
    let path = format!("/api/comments?a_id={}", scene.article.0);
    let bodies = async |query: &str| {
        let comments = json(&scene.devto, &format!("{path}{query}")).await;
        each(&comments, "body_html").into_iter().map(|body| body.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(bodies("").await.len(), 60);
    assert_eq!(bodies("&page=1").await.len(), 50);
    assert_eq!(bodies("&page=2").await.len(), 10);
    assert_eq!(bodies("&page=3&per_page=7").await, bodies("").await[14..21]);
    assert_eq!(bodies("&page=9").await.len(), 0);
}

#[tokio::test]
async fn comments_of_no_article_are_not_found() {
    let scene = Scene::set().await;
    for query in ["?a_id=7", "?a_id=seven", ""] {
        let refused = refusal(&scene.devto, &format!("/api/comments{query}")).await;
        assert_eq!(refused["error"], "not found");
    }
}
