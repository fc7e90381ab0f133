//! What is stored outlives a deploy: change an expectation here only to add to it.

use super::*;

fn stored(stream: &Stream) -> String {
    serde_json::to_string(stream).expect("JSON")
}

fn id(number: u64) -> Snowflake {
    number.to_string().parse().expect("an id")
}

fn place(thread: bool) -> Place {
    let channel = Channel { id: id(7), name: "general".to_owned(), forum: thread };
    let thread = thread.then(|| Thread { id: id(8), name: "In depth".to_owned() });
    Place { channel, thread }
}

fn streams() -> Vec<Stream> {
    let noon: DateTime<Utc> = "2024-05-01T12:00:00Z".parse().expect("an instant");
    let messages = |thread, part| Stream::Messages(Messages::first(place(thread), part, id(9)));
    let threads = |archive, since, before: Option<&str>| {
        let first = Threads::first(place(false).channel, archive, since);
        Stream::Threads(Threads { before: before.map(str::to_owned), ..first })
    };
    let unreadable = |obstacle| Stream::Unreadable(Unreadable { unit: "7".to_owned(), obstacle });
    vec![
        Stream::Guild,
        Stream::Members(Members { after: None, since: None, began: noon, page: 1 }),
        Stream::Members(Members { after: Some(id(5)), since: Some(noon), began: noon, page: 2 }),
        messages(false, Part::Newest),
        messages(true, Part::Before(id(6))),
        messages(false, Part::After(id(6))),
        threads(Archive::Public, None, None),
        threads(Archive::Private, Some(noon), Some("2024-05-01T12:00:00.000000Z")),
        threads(Archive::JoinedPrivate, Some(noon), Some("5")),
        unreadable(Obstacle::Missing),
        unreadable(Obstacle::Silent { name: "Community".to_owned() }),
        unreadable(Obstacle::Closed { name: "moderators".to_owned() }),
    ]
}

#[test]
fn streams_are_stored_like_this() {
    let stored: Vec<_> = streams().iter().map(stored).collect();
    assert_snapshot!(stored.join("\n"), @r#"
    {"stream":"guild"}
    {"stream":"members","after":null,"since":null,"began":"2024-05-01T12:00:00Z","page":1}
    {"stream":"members","after":"5","since":"2024-05-01T12:00:00Z","began":"2024-05-01T12:00:00Z","page":2}
    {"stream":"messages","place":{"channel":{"id":"7","name":"general"}},"part":"newest","newest":"9","page":1}
    {"stream":"messages","place":{"channel":{"id":"7","name":"general","forum":true},"thread":{"id":"8","name":"In depth"}},"part":{"before":"6"},"newest":"9","page":1}
    {"stream":"messages","place":{"channel":{"id":"7","name":"general"}},"part":{"after":"6"},"newest":"9","page":1}
    {"stream":"threads","channel":{"id":"7","name":"general"},"archive":"public","since":null,"page":1}
    {"stream":"threads","channel":{"id":"7","name":"general"},"archive":"private","before":"2024-05-01T12:00:00.000000Z","since":"2024-05-01T12:00:00Z","page":1}
    {"stream":"threads","channel":{"id":"7","name":"general"},"archive":"joined_private","before":"5","since":"2024-05-01T12:00:00Z","page":1}
    {"stream":"unreadable","unit":"7","obstacle":"missing"}
    {"stream":"unreadable","unit":"7","obstacle":{"silent":{"name":"Community"}}}
    {"stream":"unreadable","unit":"7","obstacle":{"closed":{"name":"moderators"}}}
    "#);
}

#[test]
fn every_stored_stream_is_understood() {
    for stream in streams() {
        let again: Stream = serde_json::from_str(&stored(&stream)).expect("a stream");
        assert_eq!(again, stream);
    }
}

#[test]
fn streams_of_a_newer_version_are_understood() {
    let newer = r#"{"stream":"messages","place":{"channel":{"id":"7","name":"general","nsfw":true}},
        "part":"newest","newest":"9","page":1,"pins":true}"#;
    let stream: Stream = serde_json::from_str(newer).expect("a stream");
    assert_eq!(stream, Stream::Messages(Messages::first(place(false), Part::Newest, id(9))));
}

#[tokio::test]
async fn state_is_stored_like_this() {
    let Small { site, ada, general, .. } = Small::start().await;
    site.edit(|community| {
        let begun = community.post(general, ada, "To a thread");
        community.start_thread(begun, "In depth");
        let closed = community.add_channel(Kind::Text, "moderators");
        community.hide(closed);
        let other = community.add_channel(Kind::Voice, "Lounge");
        community.post(other, ada, "Static");
    });
    let lounge = site.look(|community| {
        community.channels().find(|it| it.name == "Lounge").expect("a channel").id
    });
    let path = format!("/channels/{lounge}/");
    site.misbehave(&path, 1, Fault::Status(StatusCode::FORBIDDEN));
    let run = rehearsal(&site).run().await;
    let state = serde_json::to_string_pretty(&run.state).expect("JSON");
    assert_snapshot!(state, @r#"
    {
      "channels": {
        "1193841566679040010": {
          "fresh": true,
          "messages": "1193841579261952013",
          "recent": {
            "1193841579261952013": "1193841583456256014"
          },
          "threads": "2024-01-08T09:00:17Z"
        },
        "1193841591844864016": {
          "fresh": true,
          "messages": "1193841596039168017",
          "recent": {},
          "threads": "2024-01-08T09:00:17Z"
        }
      },
      "closed": [
        "1193841587650560015"
      ],
      "holes": [
        {
          "newest": "1193841596039168017",
          "page": 1,
          "part": "newest",
          "place": {
            "channel": {
              "id": "1193841591844864016",
              "name": "Lounge"
            }
          },
          "stream": "messages"
        }
      ],
      "members": {
        "after": null,
        "began": null,
        "since": "2024-01-08T09:00:17Z"
      }
    }
    "#);
}

#[test]
fn state_of_older_and_newer_versions_is_understood() {
    for state in ["{}", r#"{"channels":{}}"#, r#"{"holes":[],"members":{"roles":[]},"emoji":[1]}"#]
    {
        let state: State = serde_json::from_str(state).expect("a state");
        assert_eq!(state, State::default());
    }
}
