//! A realistic workspace has what a real one has.

use std::collections::BTreeSet;

use sandbox::slack::{Kind, Workspace};

#[test]
fn the_same_seed_grows_the_same_workspace() {
    let grown = |seed| Workspace::realistic(seed, 200).expected_messages();
    assert_eq!(grown(7), grown(7));
    assert_ne!(grown(7), grown(8));
}

#[test]
fn there_is_everything_that_an_integration_may_trip_over() {
    let workspace = Workspace::realistic(7, 1_500);
    let messages: Vec<_> = workspace.channels().flat_map(|channel| channel.messages()).collect();
    let subtypes: BTreeSet<_> = messages.iter().filter_map(|message| message.subtype).collect();
    let expected =
        ["bot_message", "channel_join", "channel_topic", "thread_broadcast", "tombstone"];
    assert_eq!(subtypes, expected.into());
    assert!(messages.iter().any(|message| message.edited.is_some()));
    assert!(messages.iter().any(|message| !message.reactions.is_empty()));
    assert!(messages.iter().any(|message| message.text.contains("<@U")));
    assert!(workspace.users().any(|user| user.deleted));
    assert!(workspace.users().any(|user| user.kind == Kind::Bot));
    assert!(workspace.users().any(|user| user.kind == Kind::Stranger));
    assert!(workspace.channels().any(|channel| channel.is_private && channel.has_app));
    assert!(workspace.channels().any(|channel| channel.is_private && !channel.has_app));
    assert!(workspace.channels().any(|channel| !channel.is_private && !channel.has_app));
}

#[test]
fn some_instants_are_shared_by_two_channels() {
    let workspace = Workspace::realistic(7, 1_500);
    let messages = workspace.expected_messages();
    let instants: BTreeSet<_> = messages.iter().map(|message| message.id.ts).collect();
    assert!(instants.len() < messages.len());
}
