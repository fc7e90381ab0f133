//! What is stored outlives a deploy: change an expectation here only to add to it.

use insta::assert_snapshot;

use super::*;
use crate::sdk::{EndedStream, Place};

fn every_stream() -> [Stream; 6] {
    let tag = Hashtag::try_from("Rust".to_owned()).expect("a hashtag");
    let since = "2024-05-01T12:00:00Z".parse().ok();
    let later: Place =
        serde_json::from_value(json!({"page": 2, "cursor": "t", "after": "7"})).expect("a place");
    let profile = "42".to_owned();
    [
        Stream::Account,
        Stream::Followers { profile: profile.clone(), place: Place::first() },
        Stream::Followers { profile: profile.clone(), place: later.clone() },
        Stream::Mentions { profile: profile.clone(), since, place: later.clone() },
        Stream::Hashtag { tag: tag.clone(), since: None, place: Place::first() },
        Stream::Hashtag { tag, since, place: later },
    ]
}

fn json_of(stream: &Stream) -> String {
    serde_json::to_string(stream).expect("JSON")
}

#[test]
fn streams_are_stored_like_this() {
    assert_snapshot!(every_stream().each_ref().map(json_of).join("\n"), @r#"
    {"stream":"account"}
    {"stream":"followers","profile":"42","page":1}
    {"stream":"followers","profile":"42","page":2,"cursor":"t","after":"7"}
    {"stream":"mentions","profile":"42","since":"2024-05-01T12:00:00Z","page":2,"cursor":"t","after":"7"}
    {"stream":"hashtag","tag":"rust","page":1}
    {"stream":"hashtag","tag":"rust","since":"2024-05-01T12:00:00Z","page":2,"cursor":"t","after":"7"}
    "#);
}

#[test]
fn every_stored_stream_is_understood_and_so_are_those_of_newer_versions() {
    for stream in every_stream() {
        let mut json: Value = serde_json::from_str(&json_of(&stream)).expect("JSON");
        assert_eq!(serde_json::from_value::<Stream>(json.clone()).expect("a stream"), stream);
        json["added_later"] = json!(1);
        assert_eq!(serde_json::from_value::<Stream>(json).expect("a stream"), stream);
    }
}

#[test]
fn state_is_stored_like_this() {
    let marks = [
        None,
        Some("3,2,1"),
        None,
        Some("2024-05-01T12:00:00+00:00"),
        Some("2024-05-02T12:00:00+00:00"),
        None,
    ];
    let ended = every_stream().into_iter().zip(marks).map(|(stream, mark)| EndedStream {
        stream,
        failed: false,
        mark: mark.map(str::to_owned),
    });
    let state = State::default().after(&RunSummary { streams: ended.collect() });
    assert_snapshot!(
        serde_json::to_string(&state).expect("JSON"),
        @r#"{"newest_posts":{"hashtag/rust":"2024-05-02T12:00:00Z","mentions/42":"2024-05-01T12:00:00Z"},"newest_followers":{"42":["3","2","1"]}}"#
    );
}

#[test]
fn state_of_older_and_newer_versions_is_understood() {
    for state in ["{}", r#"{"newest_posts":{}}"#, r#"{"newest_followers":{},"badges":[1]}"#] {
        let state: State = serde_json::from_str(state).expect("a state");
        assert_eq!(state, State::default());
    }
}

#[test]
fn no_page_leaves_a_longer_mark_than_a_few_kilobytes() {
    let ids: Vec<_> = (0..200).map(|_| "1519056945277198339").collect();
    assert!(ids.join(",").len() <= 4_000);
}
