//! What is stored outlives a deploy: change an expectation here only to add to it.

use super::*;

fn stored(stream: &Stream) -> String {
    serde_json::to_string(stream).expect("JSON")
}

fn second_page() -> Place<u64> {
    Place::first().next("the articles", 9, None, Some(42)).expect("a place")
}

fn an_article() -> Article {
    serde_json::from_value(article(42, 3, 9)).expect("an article")
}

#[test]
fn streams_are_stored_like_this() {
    let of = Source::Organization(Name::try_from("acme".to_owned()).expect("a name"));
    assert_snapshot!(
        stored(&Stream::Articles { of, place: second_page() }),
        @r#"{"stream":"articles","of":{"organization":"acme"},"page":2,"after":42}"#
    );
    assert_snapshot!(
        stored(&Stream::Comments { article: an_article() }),
        @r#"{"stream":"comments","article":{"id":42,"title":"Article 42","url":"https://dev.to/acme/42","last_comment_at":"2024-04-20T09:00:00Z","comments_count":3}}"#
    );
    assert_snapshot!(stored(&Stream::Profile { user_id: 7 }), @r#"{"stream":"profile","user_id":7}"#);
}

#[test]
fn every_stored_stream_is_understood() {
    let of = Source::User(Name::try_from("ben".to_owned()).expect("a name"));
    for stream in [
        Stream::Articles { of, place: Place::first() },
        Stream::Comments { article: an_article() },
        Stream::Profile { user_id: 7 },
    ] {
        let again: Stream = serde_json::from_str(&stored(&stream)).expect("a stream");
        assert_eq!(again, stream);
    }
}

#[test]
fn state_is_stored_like_this() {
    let ended = |stream, failed| crate::sdk::EndedStream { stream, failed, mark: None };
    let state = State::default().after(&RunSummary {
        streams: vec![
            ended(Stream::Comments { article: an_article() }, false),
            ended(Stream::Profile { user_id: 7 }, true),
        ],
    });
    assert_snapshot!(
        serde_json::to_string(&state).expect("JSON"),
        @r#"{"articles":{"42":{"last_comment_at":"2024-04-20T09:00:00Z","comments_count":3}},"missed_profiles":[7]}"#
    );
}

#[test]
fn state_of_older_and_newer_versions_is_understood() {
    for state in ["{}", r#"{"articles":{}}"#, r#"{"missed_profiles":[],"badges":[1]}"#] {
        let state: State = serde_json::from_str(state).expect("a state");
        assert_eq!(state, State::default());
    }
}
