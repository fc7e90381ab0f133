//! Communities grown from a seed.

use std::collections::{BTreeMap, HashSet};

use sandbox::devto::{Comment, Community, Devto, Visibility};
use serde_json::Value;

use crate::client::json;

#[test]
fn one_seed_grows_one_community() {
    assert_eq!(Community::realistic(7, 60, 400), Community::realistic(7, 60, 400));
    assert_ne!(Community::realistic(7, 60, 400), Community::realistic(8, 60, 400));
}

#[test]
fn a_community_has_the_articles_and_comments_that_were_asked_for() {
    for (articles, comments) in [(0, 0), (1, 0), (1, 1), (1, 50), (300, 5_000)] {
        let community = Community::realistic(1, articles, comments);
        assert_eq!(community.articles().count(), articles);
        assert_eq!(community.comments().count(), comments);
    }
}

#[test]
fn attention_is_unequal() {
    let community = Community::realistic(2, 300, 5_000);
    let mut per_article = BTreeMap::new();
    let mut per_author = BTreeMap::new();
    for comment in community.comments() {
        *per_article.entry(comment.article).or_insert(0) += 1;
        *per_author.entry(comment.author).or_insert(0) += 1;
    }
    assert!(per_article.len() <= 300 - 300 / 8);
    assert!(per_article.values().max() > Some(&200));
    assert!(per_article.values().filter(|&&count| count < 10).count() > 60);
    assert!(per_author.values().max() > Some(&100));
    assert!(per_author.values().filter(|&&count| count == 1).count() > 10);
}

#[test]
fn threads_nest_and_some_comments_are_only_tombstones() {
    let community = Community::realistic(3, 300, 5_000);
    let deepest = community.comments().map(|comment| depth(&community, comment)).max();
    assert!(deepest > Some(5) && deepest < Some(60), "{deepest:?}");
    let count = |visibility| {
        community.comments().filter(|comment| comment.visibility == visibility).count()
    };
    assert!(count(Visibility::Deleted) > 20);
    assert!(count(Visibility::Hidden) > 5);
    assert_eq!(community.expected_comments().len(), count(Visibility::Shown));
}

fn depth(community: &Community, comment: &Comment) -> usize {
    comment.parent.map_or(0, |parent| 1 + depth(community, community.comment(parent)))
}

#[test]
fn some_commenters_have_no_profile_and_no_two_users_one_name() {
    let community = Community::realistic(4, 100, 2_000);
    let authors: HashSet<_> = community.comments().map(|comment| comment.author).collect();
    let gone = authors.iter().filter(|&&id| !community.user(id).has_profile).count();
    assert!(gone > 0 && gone < authors.len() / 10, "{gone} of {}", authors.len());
    let names: HashSet<_> = community.users().map(|user| &user.username).collect();
    assert_eq!(names.len(), community.users().count());
}

#[test]
fn several_organizations_and_users_publish_in_their_own_name() {
    let community = Community::realistic(5, 300, 0);
    let organizations: HashSet<_> =
        community.articles().filter_map(|article| article.organization).collect();
    let alone = community.articles().filter(|article| article.organization.is_none());
    let authors: HashSet<_> = alone.map(|article| article.author).collect();
    assert!(organizations.len() >= 4);
    assert!(authors.len() >= 10);
}

#[test]
fn numbers_and_instants_agree() {
    let community = Community::realistic(6, 100, 1_000);
    let written: Vec<_> = community.comments().map(|comment| comment.created_at).collect();
    assert!(written.windows(2).all(|pair| pair[0] < pair[1]));
    for comment in community.comments() {
        let article = community.find_article(comment.article).unwrap();
        assert!(article.published_at < comment.created_at);
        assert!(article.last_comment_at >= comment.created_at);
    }
}

#[tokio::test]
async fn who_reads_everything_finds_exactly_what_is_expected() {
    let community = Community::realistic(7, 80, 900);
    let devto = Devto::serve(community).await.unwrap();
    let mut found = Vec::new();
    for article in articles(&devto).await {
        let comments = json(&devto, &format!("/api/comments?a_id={article}")).await;
        gather(&comments, None, article, &mut found);
    }
    found.sort();
    let expected = devto.look(Community::expected_comments).into_iter();
    let mut expected: Vec<Found> = expected
        .map(|comment| {
            let parent = comment.parent_id_code;
            (comment.id_code, parent, comment.article_id, comment.username, comment.body_html)
        })
        .collect();
    expected.sort();
    assert!(expected.len() > 850);
    assert_eq!(found, expected);
}

type Found = (String, Option<String>, u64, String, String);

async fn articles(devto: &Devto) -> Vec<u64> {
    let mut articles = Vec::new();
    for page in 1.. {
        let listed = json(devto, &format!("/api/articles?page={page}&per_page=50")).await;
        let listed = listed.as_array().unwrap();
        if listed.is_empty() {
            break;
        }
        articles.extend(listed.iter().map(|article| article["id"].as_u64().unwrap()));
    }
    articles
}

/// Tombstones are passed through: they have no author, and their replies do.
fn gather(comments: &Value, parent: Option<&str>, article: u64, found: &mut Vec<Found>) {
    for comment in comments.as_array().unwrap() {
        let id_code = comment["id_code"].as_str().unwrap();
        if let Some(username) = comment["user"]["username"].as_str() {
            let body = comment["body_html"].as_str().unwrap().to_owned();
            let parent = parent.map(str::to_owned);
            found.push((id_code.to_owned(), parent, article, username.to_owned(), body));
        }
        gather(&comment["children"], Some(id_code), article, found);
    }
}
