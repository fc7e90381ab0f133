//! A realistic guild has what makes synchronising one hard.

use sandbox::discord::{Community, Kind};

#[test]
fn the_seed_decides_everything() {
    let grown = Community::realistic(7, 40, 300);
    assert_eq!(grown, Community::realistic(7, 40, 300));
    assert_ne!(grown, Community::realistic(8, 40, 300));
}

#[test]
fn a_realistic_guild_has_threads_posts_replies_bots_and_deleted_users() {
    let community = Community::realistic(7, 100, 1_000);
    let expected = community.expected_messages();
    assert!((800..1_300).contains(&expected.len()), "{}", expected.len());
    assert!(expected.iter().any(|message| message.thread.is_some()));
    assert!(expected.iter().any(|message| message.thread.is_none() && message.parent.is_some()));
    for archived in [true, false] {
        assert!(community.threads().any(|(_, thread)| thread.archived == archived));
    }
    assert!(community.users().any(|user| user.bot && user.id != community.bot));
    assert!(community.users().filter(|user| user.username == "Deleted User").count() > 1);
    assert!(community.channels().any(|channel| channel.kind == Kind::Forum));
    assert!(community.channels().any(|channel| !community.bot_may_read(channel)));
    let written = community.channels().flat_map(|channel| community.messages(channel.id)).count();
    assert!(written > expected.len(), "bots wrote, too, and there is a private channel");
}

#[test]
fn what_is_expected_is_each_message_once_in_the_order_of_time() {
    let expected = Community::realistic(7, 40, 300).expected_messages();
    assert!(expected.is_sorted_by(|one, next| one.at < next.at));
}
