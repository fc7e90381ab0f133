//! What is stored outlives a deploy: change an expectation here only to add to it.

use super::streams::{Newest, Page, Repo, Rest};
use super::*;
use crate::sdk::{EndedStream, Place};

fn repo() -> Repo {
    Repo { id: "R_1".to_owned(), name: "acme/anvil".to_owned() }
}

fn page() -> Page {
    let at = "2024-05-01T12:00:00Z".parse().ok();
    Page {
        repo: repo(),
        newest: Newest { at, total: 7, warm: true },
        since: at,
        cursor: Some("Y3Vyc29y".to_owned()),
        read: 25,
        size: Some(12),
    }
}

fn rest() -> Rest {
    let cursor = Some("Y3Vyc29y".to_owned());
    Rest { repo: repo(), of: "PR_1".to_owned(), since: None, cursor, read: 20 }
}

fn second_page() -> Place<u64> {
    Place::first().next("the repositories", 9, None, Some(42)).expect("a place")
}

fn every_stream() -> Vec<Stream> {
    vec![
        Stream::Repositories { place: second_page() },
        Stream::Repository { name: "acme/anvil".parse().expect("a name") },
        Stream::Peek { repos: vec![repo()] },
        Stream::Stargazers(page()),
        Stream::Forks(page()),
        Stream::Pulls(page()),
        Stream::Issues(page()),
        Stream::Discussions(page()),
        Stream::PullComments(rest()),
        Stream::PullTimeline(rest()),
        Stream::PullReviewThreads(rest()),
        Stream::PullReviewThreadComments(rest()),
        Stream::PullCommits(rest()),
        Stream::IssueComments(rest()),
        Stream::IssueTimeline(rest()),
        Stream::DiscussionComments(rest()),
        Stream::DiscussionReplies(rest()),
        Stream::Followers { people: vec!["U_1".to_owned()] },
        Stream::Organization { company: "@acme".to_owned() },
    ]
}

#[test]
fn streams_are_stored_like_this() {
    let stored: Vec<_> =
        every_stream().iter().map(|stream| serde_json::to_string(stream).expect("JSON")).collect();
    assert_snapshot!(stored.join("\n"), @r#"
    {"stream":"repositories","page":2,"after":42}
    {"stream":"repository","name":"acme/anvil"}
    {"stream":"peek","repos":[{"id":"R_1","name":"acme/anvil"}]}
    {"stream":"stargazers","repo":{"id":"R_1","name":"acme/anvil"},"newest":{"at":"2024-05-01T12:00:00Z","total":7,"warm":true},"since":"2024-05-01T12:00:00Z","cursor":"Y3Vyc29y","read":25,"size":12}
    {"stream":"forks","repo":{"id":"R_1","name":"acme/anvil"},"newest":{"at":"2024-05-01T12:00:00Z","total":7,"warm":true},"since":"2024-05-01T12:00:00Z","cursor":"Y3Vyc29y","read":25,"size":12}
    {"stream":"pulls","repo":{"id":"R_1","name":"acme/anvil"},"newest":{"at":"2024-05-01T12:00:00Z","total":7,"warm":true},"since":"2024-05-01T12:00:00Z","cursor":"Y3Vyc29y","read":25,"size":12}
    {"stream":"issues","repo":{"id":"R_1","name":"acme/anvil"},"newest":{"at":"2024-05-01T12:00:00Z","total":7,"warm":true},"since":"2024-05-01T12:00:00Z","cursor":"Y3Vyc29y","read":25,"size":12}
    {"stream":"discussions","repo":{"id":"R_1","name":"acme/anvil"},"newest":{"at":"2024-05-01T12:00:00Z","total":7,"warm":true},"since":"2024-05-01T12:00:00Z","cursor":"Y3Vyc29y","read":25,"size":12}
    {"stream":"pull_comments","repo":{"id":"R_1","name":"acme/anvil"},"of":"PR_1","since":null,"cursor":"Y3Vyc29y","read":20}
    {"stream":"pull_timeline","repo":{"id":"R_1","name":"acme/anvil"},"of":"PR_1","since":null,"cursor":"Y3Vyc29y","read":20}
    {"stream":"pull_review_threads","repo":{"id":"R_1","name":"acme/anvil"},"of":"PR_1","since":null,"cursor":"Y3Vyc29y","read":20}
    {"stream":"pull_review_thread_comments","repo":{"id":"R_1","name":"acme/anvil"},"of":"PR_1","since":null,"cursor":"Y3Vyc29y","read":20}
    {"stream":"pull_commits","repo":{"id":"R_1","name":"acme/anvil"},"of":"PR_1","since":null,"cursor":"Y3Vyc29y","read":20}
    {"stream":"issue_comments","repo":{"id":"R_1","name":"acme/anvil"},"of":"PR_1","since":null,"cursor":"Y3Vyc29y","read":20}
    {"stream":"issue_timeline","repo":{"id":"R_1","name":"acme/anvil"},"of":"PR_1","since":null,"cursor":"Y3Vyc29y","read":20}
    {"stream":"discussion_comments","repo":{"id":"R_1","name":"acme/anvil"},"of":"PR_1","since":null,"cursor":"Y3Vyc29y","read":20}
    {"stream":"discussion_replies","repo":{"id":"R_1","name":"acme/anvil"},"of":"PR_1","since":null,"cursor":"Y3Vyc29y","read":20}
    {"stream":"followers","people":["U_1"]}
    {"stream":"organization","company":"@acme"}
    "#);
}

#[test]
fn every_stored_stream_is_understood() {
    for stream in every_stream() {
        let stored = serde_json::to_value(&stream).expect("JSON");
        assert_eq!(serde_json::from_value::<Stream>(stored).expect("a stream"), stream);
    }
}

#[test]
fn streams_of_older_and_newer_versions_are_understood() {
    let older = r#"{"stream":"pulls","repo":{"id":"R_1","name":"acme/anvil"},"newest":{"at":null,"total":0},"since":null,"colour":"red"}"#;
    let Stream::Pulls(page) = serde_json::from_str(older).expect("a stream") else {
        panic!("pulls");
    };
    assert_eq!((page.cursor, page.read, page.size), (None, 0, None));

    let older = r#"{"stream":"organization","company":"@acme","member":{"id":"7","login":"ada"}}"#;
    let organization = serde_json::from_str::<Stream>(older).expect("a stream");
    assert_eq!(organization, Stream::Organization { company: "@acme".to_owned() });
}

#[test]
fn state_is_stored_like_this() {
    let ended = |stream, mark: Option<&str>| EndedStream {
        stream,
        failed: false,
        mark: mark.map(str::to_owned),
    };
    let [.., followers, organization] = &every_stream()[..] else { panic!("streams") };
    let state = State::default().after(&RunSummary {
        streams: vec![
            ended(Stream::Repository { name: "acme/anvil".parse().expect("a name") }, Some("R_1")),
            ended(Stream::Issues(page()), None),
            ended(followers.clone(), None),
            ended(organization.clone(), None),
        ],
    });
    assert_snapshot!(serde_json::to_string(&state).expect("JSON"), @r#"{"repositories":{"R_1":{"issues":{"at":"2024-05-01T12:00:00Z","total":7,"warm":true}}},"names":{"acme/anvil":"R_1"},"companies":["@acme"]}"#);
}

#[test]
fn companies_are_remembered_in_bounds_and_the_last_before_the_others() {
    let after = |state: &State, prefix: &str| {
        let companies =
            (0..4_000).map(|number| Stream::Organization { company: format!("{prefix}{number}") });
        let streams = companies.map(|stream| EndedStream { stream, failed: false, mark: None });
        state.after(&RunSummary { streams: streams.collect() })
    };
    let (first, last) = ("a", "b");
    let state = after(&after(&State::default(), first), last);
    let known = |prefix| {
        (0..4_000).filter(|number| state.knows_company(&format!("{prefix}{number}"))).count()
    };
    assert_eq!((known(first), known(last)), (1_000, 4_000));
}

#[test]
fn state_of_older_and_newer_versions_is_understood() {
    for state in ["{}", r#"{"names":{}}"#, r#"{"repositories":{},"badges":[1]}"#] {
        let state: State = serde_json::from_str(state).expect("a state");
        assert_eq!(state, State::default());
    }
}
