//! Against a whole simulated site, with the truth at hand.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::devto::{
    ALWAYS, ArticleId, Community, Devto as SimulatedSite, Fault, RetryAfter, Visibility,
};

use super::*;
use crate::sdk::html;
use crate::sdk::testing::Rehearsed;

/// What is known of a comment: whom it answers, who wrote it by number and name, what and when.
#[derive(Debug, PartialEq)]
struct Known {
    parent: Option<String>,
    user_id: Option<String>,
    username: String,
    body: String,
    at: DateTime<Utc>,
}

/// What a run has found, each comment in its last version.
fn found(runs: &[&Rehearsed]) -> BTreeMap<String, Known> {
    let activities = runs.iter().flat_map(|run| run.activities());
    let known = activities.map(|activity| {
        let known = Known {
            parent: activity.source_parent_id.clone(),
            user_id: activity.member.identity.source_id.clone(),
            username: activity.member.identity.username.clone(),
            body: activity.body.clone().expect("a body"),
            at: activity.timestamp,
        };
        (activity.source_id.clone(), known)
    });
    known.collect()
}

fn truth(community: &Community) -> BTreeMap<String, Known> {
    let comments = community.expected_comments().into_iter().map(|comment| {
        let known = Known {
            parent: comment.parent_id_code,
            user_id: Some(comment.user_id.to_string()),
            username: comment.username,
            body: html::sanitize(&comment.body_html),
            at: comment.created_at,
        };
        (comment.id_code, known)
    });
    comments.collect()
}

/// All organizations, and all users who have written an article.
fn everybody(community: &Community) -> Value {
    let organizations: Vec<_> = community.organizations().map(|it| &it.username).collect();
    let authors: BTreeSet<_> = community.articles().map(|it| it.author).collect();
    let users: Vec<_> = authors.into_iter().map(|id| &community.user(id).username).collect();
    json!({"organizations": organizations, "users": users})
}

fn names(settings: &Value) -> u64 {
    settings
        .as_object()
        .expect("settings")
        .values()
        .map(|names| names.as_array().map_or(0, Vec::len) as u64)
        .sum()
}

fn rehearsal(site: &SimulatedSite) -> Rehearsal {
    Rehearsal::of(Devto::at(&site.url()).expect("an integration")).settings(site.look(everybody))
}

async fn serve(community: Community) -> SimulatedSite {
    SimulatedSite::serve(community).await.expect("a site")
}

#[tokio::test]
async fn an_onboarding_finds_every_living_comment_once_below_its_parent() {
    let site = serve(Community::realistic(7, 120, 1200)).await;
    let run = rehearsal(&site).run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");

    let truth = site.look(truth);
    assert_eq!(found(&[&run]), truth);
    assert_eq!(run.activities().count(), truth.len(), "a comment was told twice");
}

#[tokio::test]
async fn an_onboarding_asks_once_for_each_list_page_discussion_and_author() {
    let site = serve(Community::realistic(7, 120, 1200)).await;
    let run = rehearsal(&site).run().await;

    let truth = site.look(truth);
    let authors: BTreeSet<_> = truth.values().map(|comment| &comment.user_id).collect();
    let discussions =
        site.look(|community| community.comments().map(|it| it.article).collect::<BTreeSet<_>>());
    let lists = 2 * names(&site.look(everybody));
    assert_eq!(run.requests, lists + discussions.len() as u64 + authors.len() as u64);
    let with_profile = site.look(|community| {
        let has_profile = |id: &&&Option<String>| {
            let id = id.as_ref().expect("a number").parse().expect("a number");
            community.find_user(sandbox::devto::UserId(id)).is_some_and(|user| user.has_profile)
        };
        authors.iter().filter(has_profile).count()
    });
    assert_eq!(run.members().count(), with_profile);
}

#[tokio::test]
async fn resuming_costs_the_page_that_was_lost_and_nothing_else() {
    let site = serve(Community::realistic(5, 20, 100)).await;
    let whole = rehearsal(&site).run().await;
    let resumed = rehearsal(&site).dying_over_every_page().run().await;
    assert_eq!(resumed.requests, 2 * whole.requests);
    assert_eq!((found(&[&resumed]), resumed.state), (site.look(truth), whole.state));
}

#[tokio::test]
async fn a_check_after_edits_reads_what_they_touched_and_a_check_after_that_nothing() {
    let site = serve(Community::realistic(11, 80, 600)).await;
    let onboarding = rehearsal(&site).run().await;

    let touched = site.edit(act);
    site.clear_requests();
    let check = rehearsal(&site).check().state(onboarding.state.clone()).run().await;
    assert_eq!(check.ending, Ending::Processed, "{check}");
    assert_eq!(discussions_asked_for(&site), touched);
    let (found, truth) = (found(&[&onboarding, &check]), site.look(truth));
    for (id_code, comment) in &truth {
        assert_eq!(found.get(id_code), Some(comment), "{id_code}");
    }

    site.clear_requests();
    let nothing = rehearsal(&site).check().state(check.state).run().await;
    assert_eq!(nothing.ending, Ending::Processed, "{nothing}");
    assert_eq!(nothing.operations.len(), 0);
    assert_eq!(nothing.requests, 2 * names(&site.look(everybody)));
}

/// Somebody comments on an old article, another replies, edits, deletes and publishes. The articles
/// that this touched.
fn act(community: &mut Community) -> BTreeSet<u64> {
    let newcomer = community.add_user("newcomer", "Newcomer");
    let discussed =
        |id: &ArticleId| community.comments().filter(|it| it.article == *id).count() > 2;
    let by_age: Vec<_> = community.articles().map(|it| it.id).filter(discussed).collect();
    let [commented, replied, edited, deleted, .., gone] = by_age.as_slice() else {
        panic!("five discussed articles");
    };
    let shown = |community: &Community, article: ArticleId| {
        let mut comments = community.comments();
        let comment =
            comments.find(|it| it.article == article && it.visibility == Visibility::Shown);
        comment.expect("a comment").id
    };
    community.add_comment(*commented, newcomer, "<p>late to the party</p>");
    community.reply(shown(community, *replied), newcomer, "<p>I disagree</p>");
    community.edit_comment(shown(community, *edited), "<p>edited</p>");
    community.delete_comment(shown(community, *deleted));
    community.remove_article(*gone);
    let author = community.articles().next().expect("an article").author;
    let fresh = community.add_article(author, "Fresh");
    community.add_comment(fresh, newcomer, "<p>first!</p>");
    community.add_article(author, "Without a comment");
    [commented, replied, edited, deleted, &fresh].map(|article| article.0).into()
}

fn discussions_asked_for(site: &SimulatedSite) -> BTreeSet<u64> {
    let article =
        |request: sandbox::devto::Request| request.query?.strip_prefix("a_id=")?.parse().ok();
    site.requests().into_iter().filter_map(article).collect()
}

/// And of whoever wrote last before: somebody else may have written in the same second.
#[tokio::test]
async fn a_check_asks_for_the_profiles_of_those_who_wrote_since() {
    let mut community = Community::empty();
    let [ben, asa, kim] = ["ben", "asa", "kim"].map(|name| community.add_user(name, name));
    let article = community.add_article(ben, "What our queue forgot");
    let first = community.add_comment(article, ben, "<p>Ask me anything</p>");
    community.reply(first, asa, "<p>Why?</p>");
    let site = serve(community).await;
    let onboarding = rehearsal(&site).run().await;

    site.edit(|community| community.reply(first, kim, "<p>How?</p>"));
    let check = rehearsal(&site).check().state(onboarding.state).run().await;
    let members: Vec<_> = check.members().map(|member| member.identity.username.as_str()).collect();
    assert_eq!(members, ["asa", "kim"], "{check}");
}

/// What the site does not say cannot be known; the next comment brings it to light.
#[tokio::test]
async fn a_quiet_edit_is_seen_with_the_next_comment() {
    let mut community = Community::empty();
    community.quiet_edits = true;
    let ben = community.add_user("ben", "Ben");
    let article = community.add_article(ben, "What our queue forgot");
    let comment = community.add_comment(article, ben, "<p>first</p>");
    let site = serve(community).await;
    let onboarding = rehearsal(&site).run().await;

    site.edit(|community| community.edit_comment(comment, "<p>edited</p>"));
    let unaware = rehearsal(&site).check().state(onboarding.state).run().await;
    assert_eq!(unaware.activities().count(), 0);

    site.edit(|community| community.add_comment(article, ben, "<p>second</p>"));
    let aware = rehearsal(&site).check().state(unaware.state).run().await;
    assert_eq!(found(&[&aware]), site.look(truth));
}

#[tokio::test]
async fn a_discussion_of_three_hundred_replies_to_replies_is_read_to_its_end() {
    let mut community = Community::empty();
    let ben = community.add_user("ben", "Ben");
    let article = community.add_article(ben, "Tabs or spaces");
    let mut last = community.add_comment(article, ben, "<p>Tabs.</p>");
    for _ in 0..300 {
        last = community.reply(last, ben, "<p>No.</p>");
    }
    let site = serve(community).await;
    let run = rehearsal(&site).run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");
    assert_eq!(found(&[&run]), site.look(truth));
}

#[tokio::test]
async fn a_renamed_user_is_the_same_account_under_another_name() {
    let mut community = Community::empty();
    let ben = community.add_user("ben", "Ben");
    let asa = community.add_user("asa", "Åsa");
    let article = community.add_article(ben, "What our queue forgot");
    let first = community.add_comment(article, asa, "<p>Why?</p>");
    let site = serve(community).await;
    let onboarding = rehearsal(&site).run().await;

    site.edit(|community| {
        community.rename_user(asa, "asa_oest");
        community.reply(first, asa, "<p>Because.</p>")
    });
    let check = rehearsal(&site).check().state(onboarding.state).run().await;
    let asas: BTreeSet<_> = check
        .members()
        .map(|member| (member.identity.source_id.clone(), member.identity.username.clone()))
        .collect();
    assert_eq!(asas, BTreeSet::from([(Some(asa.0.to_string()), "asa_oest".to_owned())]));
}

/// Whatever the site does once, and wherever, nothing is lost.
#[tokio::test]
async fn no_single_fault_of_the_site_loses_a_comment() {
    let faults = [
        Fault::Status(sandbox::devto::StatusCode::SERVICE_UNAVAILABLE),
        Fault::RateLimited(RetryAfter::Seconds(30)),
        Fault::RateLimited(RetryAfter::EpochSeconds(3_450_000_000)),
        Fault::RateLimited(RetryAfter::Nonsense),
        Fault::RateLimited(RetryAfter::Missing),
        Fault::TruncatedJson,
        Fault::WrongJson,
        Fault::Redirect("https://example.com/".to_owned()),
        Fault::CloseConnection,
        Fault::BreakOff,
        Fault::RepeatedPage,
    ];
    let site = serve(Community::realistic(3, 12, 60)).await;
    let truth = site.look(truth);
    for fault in faults {
        for what in
            ["/api/articles", "/api/comments", "/api/users/", "/api/organizations/", "page=2"]
        {
            site.misbehave(what, 1, fault.clone());
        }
        let run = rehearsal(&site).run().await;
        assert_eq!(run.ending, Ending::Processed, "{fault:?}: {run}");
        assert_eq!(found(&[&run]), truth, "{fault:?}: {run}");
        site.behave();
    }
}

#[tokio::test]
async fn an_answer_too_large_ends_its_stream_and_not_the_run() {
    let site = serve(Community::realistic(3, 12, 60)).await;
    site.misbehave("/api/comments", 1, Fault::HugeBody(40 * 1024 * 1024));
    let run = rehearsal(&site).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
}

#[tokio::test]
async fn a_list_that_repeats_for_ever_ends_as_a_hole_with_its_first_page_read() {
    let mut community = Community::empty();
    let ben = community.add_user("ben", "Ben");
    let article = community.add_article(ben, "What our queue forgot");
    community.add_comment(article, ben, "<p>first</p>");
    let site = serve(community).await;
    site.misbehave("/api/articles", ALWAYS, Fault::RepeatedPage);
    let run = rehearsal(&site).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    assert_eq!(found(&[&run]), site.look(truth));
}
