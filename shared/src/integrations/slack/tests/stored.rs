//! What is stored outlives a deploy: change an expectation here only to add to it.

use super::*;
use crate::sdk::EndedStream;

fn stored(stream: &Stream) -> String {
    serde_json::to_string(stream).expect("JSON")
}

fn general() -> Channel {
    Channel { id: "C1".to_owned(), name: "general".to_owned(), archived: false }
}

fn ts(text: &str) -> Ts {
    text.parse().expect("a timestamp")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn place() -> Place {
    serde_json::from_value(json!({"cursor": "x=", "page": 2, "after": "U1"})).expect("a place")
}

fn every_stream() -> Vec<Stream> {
    let page = ChannelPage {
        channel: general(),
        from: Some(at("2024-05-01T00:00:00Z")),
        place: Some(place()),
    };
    let thread = ThreadPage {
        channel: general(),
        root: ts("1700000000.000100"),
        since: Some(ts("1700000001.000000")),
        text: Some("Why?".to_owned()),
        place: Some(place()),
    };
    vec![
        Stream::Members { place: Some(place()) },
        Stream::Channels { place: Some(place()), wanted: ["C2".to_owned()].into() },
        Stream::Channel(page),
        Stream::Thread(thread),
        Stream::Member { user: "U7".to_owned() },
    ]
}

#[test]
fn streams_are_stored_like_this() {
    let all: Vec<_> = every_stream().iter().map(stored).collect();
    assert_snapshot!(all.join("\n"), @r#"
    {"stream":"members","place":{"page":2,"cursor":"x=","after":"U1"}}
    {"stream":"channels","place":{"page":2,"cursor":"x=","after":"U1"},"wanted":["C2"]}
    {"stream":"channel","channel":{"id":"C1","name":"general"},"from":"2024-05-01T00:00:00Z","place":{"page":2,"cursor":"x=","after":"U1"}}
    {"stream":"thread","channel":{"id":"C1","name":"general"},"root":"1700000000.000100","since":"1700000001.000000","text":"Why?","place":{"page":2,"cursor":"x=","after":"U1"}}
    {"stream":"member","user":"U7"}
    "#);
}

#[test]
fn every_stored_stream_is_understood() {
    for stream in every_stream() {
        let again: Stream = serde_json::from_str(&stored(&stream)).expect("a stream");
        assert_eq!(again, stream);
    }
}

#[test]
fn streams_of_older_and_newer_versions_are_understood() {
    let short = [
        r#"{"stream":"members"}"#,
        r#"{"stream":"channels","new":1}"#,
        r#"{"stream":"channel","channel":{"id":"C1","name":"general"}}"#,
        r#"{"stream":"thread","channel":{"id":"C1","name":"general"},"root":"1700000000.000100"}"#,
    ];
    for text in short {
        serde_json::from_str::<Stream>(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn state_is_stored_like_this() {
    let ended = |stream, failed, mark: Option<&str>| EndedStream {
        stream,
        failed,
        mark: mark.map(str::to_owned),
    };
    let page = ChannelPage { channel: general(), from: None, place: None };
    let thread = |root| ThreadPage {
        channel: general(),
        root: ts(root),
        since: None,
        text: None,
        place: None,
    };
    let old = thread("1700000000.000100");
    let state = State::default().after(
        &RunSummary {
            streams: vec![
                ended(Stream::Members { place: None }, false, None),
                ended(Stream::Channel(page), false, None),
                ended(Stream::Thread(old), false, Some("1714000000.000200")),
                ended(Stream::Thread(thread("1700000000.000300")), true, None),
            ],
        },
        App::Internal,
        at("2024-05-01T12:00:00Z"),
    );
    assert_snapshot!(
        serde_json::to_string(&state).expect("JSON"),
        @r#"{"members_read":true,"channels":{"C1":{"looks":[{"at":"2024-05-01T12:00:00Z","from":"1970-01-01T00:00:00Z"}],"missed":{"1700000000.000300":null},"lingering":{"1700000000.000100":{"looked_at":"2024-05-01T12:00:00Z","last_reply":"1714000000.000200"}}}}}"#
    );
    let again: State =
        serde_json::from_value(serde_json::to_value(&state).expect("JSON")).expect("a state");
    assert_eq!(again, state);
}

#[test]
fn state_of_older_and_newer_versions_is_understood() {
    for state in ["{}", r#"{"channels":{}}"#, r#"{"members_read":false,"badges":[1]}"#] {
        let state: State = serde_json::from_str(state).expect("a state");
        assert_eq!(state, State::default());
    }
}
