//! A check asks for what is new, and remembers what it has read.

use super::*;

/// An article that was read at nine o'clock, with two comments.
fn read_at_nine() -> Value {
    json!({"articles": {"1": {"last_comment_at": at(9), "comments_count": 2}}})
}

#[tokio::test]
async fn a_check_with_nothing_new_asks_for_the_list_and_no_more() {
    let site = Forem::start().await;
    site.lists("1", json!([article(1, 2, 9), article(2, 0, 0)])).await;
    site.lists("2", json!([])).await;
    let run = site.rehearsal().check().state(read_at_nine()).run().await;
    assert_eq!((&run.ending, run.requests), (&Ending::Processed, 2), "{run}");
    assert_eq!(
        run.state,
        Some(json!({
            "articles": {"1": {"last_comment_at": at(9), "comments_count": 2}},
            "missed_profiles": [],
        }))
    );
}

#[tokio::test]
async fn a_check_reads_what_changed_and_asks_for_those_who_wrote_since() {
    let site = Forem::start().await;
    site.lists("1", json!([article(1, 3, 11)])).await;
    site.lists("2", json!([])).await;
    let newcomer = comment("c", 9, 11, json!([]));
    let thread = comment("a", 7, 8, json!([comment("b", 8, 8, json!([])), newcomer]));
    site.discusses("1", json!([thread])).await;
    site.shows(9, "user9").await;

    let run = site.rehearsal().check().state(read_at_nine()).run().await;
    assert_snapshot!(run, @r#"
    the run -> 1 stream
    {"of":{"organization":"acme"},"page":1,"stream":"articles"} -> done: 0 records, 1 new stream, next page
    {"article":{"comments_count":3,"id":1,"last_comment_at":"2024-04-20T11:00:00Z","title":"Article 1","url":"https://dev.to/acme/1"},"stream":"comments"} -> done: 3 records, 1 new stream
    {"after":1,"of":{"organization":"acme"},"page":2,"stream":"articles"} -> done: 0 records
    {"stream":"profile","user_id":9} -> done: 1 record
    the run -> processed
    "#);
    let remembered = &run.state.expect("a state")["articles"]["1"];
    assert_eq!(*remembered, json!({"last_comment_at": at(11), "comments_count": 3}));
}

#[tokio::test]
async fn an_edited_comment_is_seen_when_the_site_says_that_the_discussion_moved() {
    let site = Forem::start().await;
    site.lists("1", json!([article(1, 2, 10)])).await;
    site.lists("2", json!([])).await;
    let mut edited = comment("a", 7, 8, json!([]));
    edited["body_html"] = json!("<p>edited</p>");
    site.discusses("1", json!([edited, comment("b", 8, 9, json!([]))])).await;
    site.shows(8, "user8").await;

    let run = site.rehearsal().check().state(read_at_nine()).run().await;
    let bodies: Vec<_> = run.activities().map(|activity| activity.body.as_deref()).collect();
    assert_eq!(bodies, [Some("<p>edited</p>"), Some("<p>b</p>")]);
}

#[tokio::test]
async fn a_comment_that_vanished_is_noticed_by_the_count_alone() {
    let site = Forem::start().await;
    site.lists("1", json!([article(1, 1, 9)])).await;
    site.lists("2", json!([])).await;
    site.discusses("1", json!([comment("a", 7, 8, json!([]))])).await;
    let run = site.rehearsal().check().state(read_at_nine()).run().await;
    assert_eq!((&run.ending, run.activities().count()), (&Ending::Processed, 1), "{run}");
}

#[tokio::test]
async fn an_article_that_is_not_listed_any_more_stays_remembered() {
    let site = Forem::start().await;
    site.lists("1", json!([])).await;
    let run = site.rehearsal().check().state(read_at_nine()).run().await;
    assert_eq!(run.state.expect("a state")["articles"], read_at_nine()["articles"]);
}

#[tokio::test]
async fn an_onboarding_reads_again_what_is_remembered() {
    let site = Forem::start().await;
    site.lists("1", json!([article(1, 2, 9)])).await;
    site.lists("2", json!([])).await;
    site.discusses("1", json!([comment("a", 7, 8, json!([])), comment("b", 7, 9, json!([]))]))
        .await;
    site.shows(7, "user7").await;
    let run = site.rehearsal().state(read_at_nine()).run().await;
    assert_eq!((&run.ending, run.activities().count()), (&Ending::Processed, 2), "{run}");
}
