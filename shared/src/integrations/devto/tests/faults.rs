//! What the forerunner got wrong, and what else the site may do to us.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_commenter_whose_profile_is_gone_fails_nothing() {
    let site = Forem::start().await;
    site.lists("1", json!([article(1, 2, 9)])).await;
    site.lists("2", json!([])).await;
    site.discusses("1", json!([comment("a", 7, 8, json!([])), comment("b", 8, 9, json!([]))]))
        .await;
    site.answers_with("/api/users/7", &[], status(404), 1).await;
    site.shows(8, "user8").await;

    let run = site.rehearsal().run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
    let authors: Vec<_> =
        run.activities().map(|activity| activity.member.identity.username.as_str()).collect();
    assert_eq!(authors, ["user7", "user8"]);
    assert_eq!(run.members().count(), 1);
}

#[tokio::test]
async fn the_replies_to_a_deleted_comment_stay_and_keep_their_parent() {
    let site = Forem::start().await;
    site.lists("1", json!([article(1, 3, 9)])).await;
    site.lists("2", json!([])).await;
    let reply = comment("b", 8, 8, json!([comment("c", 8, 9, json!([]))]));
    site.discusses("1", json!([deleted("a", 7, json!([reply]))])).await;
    site.shows(8, "user8").await;

    let run = site.rehearsal().run().await;
    let replies: Vec<_> = run
        .activities()
        .map(|activity| (activity.source_id.as_str(), activity.source_parent_id.as_deref()))
        .collect();
    assert_eq!(replies, [("b", Some("a")), ("c", Some("b"))]);
}

#[tokio::test]
async fn a_429_of_any_length_is_waited_out() {
    for seconds in [1, 2, 3, 600] {
        let site = Forem::start().await;
        let limited = status(429).insert_header("retry-after", seconds.to_string());
        let first = Mock::given(path("/api/organizations/acme/articles"));
        first.respond_with(limited).up_to_n_times(1).expect(1).mount(&site.0).await;
        site.lists("1", json!([])).await;

        let run = site.rehearsal().run().await;
        assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
        assert_eq!(run.waits, [Duration::from_secs(seconds)]);
    }
}

/// As [`Forem::lists`], for two runs one after the other.
async fn lists_one_article_twice(site: &Forem, comments_count: u32) {
    let list = "/api/organizations/acme/articles";
    let listed = ok(json!([article(1, comments_count, 9)]));
    site.answers_with(list, &[("page", "1")], listed, 2).await;
    site.answers_with(list, &[("page", "2")], ok(json!([])), 2).await;
}

async fn answers_once_it_failed_five_times(site: &Forem, of: &str, body: Value) {
    let failing = Mock::given(path(of)).respond_with(status(500)).up_to_n_times(5).expect(5);
    failing.mount(&site.0).await;
    site.answers(of, &[], body).await;
}

#[tokio::test]
async fn an_article_that_failed_is_read_by_the_next_check() {
    let site = Forem::start().await;
    lists_one_article_twice(&site, 1).await;
    let discussion = json!([comment("a", 7, 9, json!([]))]);
    answers_once_it_failed_five_times(&site, "/api/comments", discussion).await;
    site.shows(7, "user7").await;

    let first = site.rehearsal().run().await;
    assert_eq!(first.ending, Ending::Hole { streams: 1 }, "{first}");
    let second = site.rehearsal().check().state(first.state).run().await;
    assert_eq!(second.ending, Ending::Processed, "{second}");
    assert_eq!(second.activities().count(), 1);
}

#[tokio::test]
async fn a_known_article_that_failed_is_read_by_the_next_check() {
    let site = Forem::start().await;
    lists_one_article_twice(&site, 1).await;
    let discussion = json!([comment("a", 7, 9, json!([]))]);
    answers_once_it_failed_five_times(&site, "/api/comments", discussion).await;
    site.shows(7, "user7").await;

    let known = json!({"articles": {"1": {"last_comment_at": at(8), "comments_count": 1}}});
    let first = site.rehearsal().check().state(known).run().await;
    assert_eq!(first.ending, Ending::Hole { streams: 1 }, "{first}");
    let second = site.rehearsal().check().state(first.state).run().await;
    assert_eq!((&second.ending, second.activities().count()), (&Ending::Processed, 1), "{second}");
}

#[tokio::test]
async fn a_profile_that_failed_is_asked_for_by_the_next_check_and_then_no_more() {
    let site = Forem::start().await;
    lists_one_article_twice(&site, 1).await;
    site.discusses("1", json!([comment("a", 7, 9, json!([]))])).await;
    let profile = json!({"id": 7, "username": "user7", "name": "Seven"});
    answers_once_it_failed_five_times(&site, "/api/users/7", profile).await;

    let first = site.rehearsal().run().await;
    assert_eq!(first.ending, Ending::Hole { streams: 1 }, "{first}");
    let second = site.rehearsal().check().state(first.state).run().await;
    assert_eq!((&second.ending, second.members().count()), (&Ending::Processed, 1), "{second}");
    assert_eq!(second.state.expect("a state")["missed_profiles"], json!([]));
}

#[tokio::test]
async fn an_article_deleted_since_it_was_listed_is_no_error() {
    let site = Forem::start().await;
    site.lists("1", json!([article(1, 4, 9)])).await;
    site.lists("2", json!([])).await;
    site.answers_with("/api/comments", &[("a_id", "1")], status(404), 1).await;
    let run = site.rehearsal().run().await;
    assert_eq!((&run.ending, run.activities().count()), (&Ending::Processed, 0), "{run}");
}

#[tokio::test]
async fn a_403_is_of_one_article_and_repeats_the_sites_words() {
    let site = Forem::start().await;
    site.lists("1", json!([article(1, 1, 9)])).await;
    site.lists("2", json!([])).await;
    let closed = status(403).set_body_json(json!({"error": "unauthorized", "status": 403}));
    site.answers_with("/api/comments", &[("a_id", "1")], closed, 1).await;
    let run = site.rehearsal().run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    assert!(run.to_string().contains("answered 403 Forbidden: unauthorized"), "{run}");
}

#[tokio::test]
async fn one_bad_article_does_not_keep_its_siblings_from_being_read() {
    let site = Forem::start().await;
    site.lists("1", json!([article(1, 1, 9), article(2, 1, 9)])).await;
    site.lists("2", json!([])).await;
    let bad = ok(json!([{"id_code": "a"}]));
    site.answers_with("/api/comments", &[("a_id", "1")], bad, 5).await;
    site.discusses("2", json!([comment("b", 7, 9, json!([]))])).await;
    site.shows(7, "user7").await;
    let run = site.rehearsal().run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    assert_eq!(run.activities().count(), 1);
}
