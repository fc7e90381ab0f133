//! By Discord's published rules: everybody's, then the roles', then the bot's own.

use sandbox::discord::Overwrite;

use super::*;

const VIEW: u64 = 1 << 10;
const HISTORY: u64 = 1 << 16;
const CONNECT: u64 = 1 << 20;

async fn reads(change: impl FnOnce(&mut Community, Id)) -> bool {
    let Small { site, general, .. } = Small::start().await;
    site.edit(|community| change(community, general));
    let run = rehearsal(&site).run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");
    let read = !found(&[&run]).is_empty();
    assert_eq!(found(&[&run]), site.look(truth), "{run}");
    read
}

#[tokio::test]
async fn what_everybody_may_not_a_role_of_the_bots_may_allow() {
    let role = |overwrite: Overwrite| {
        move |community: &mut Community, channel: Id| {
            let bot = community.bot;
            let role = community.grant(bot, 0);
            community.hide(channel);
            community.overwrite(channel, role, overwrite);
        }
    };
    assert!(!reads(role(Overwrite::default())).await);
    assert!(reads(role(Overwrite { allow: VIEW, deny: 0 })).await);
}

#[tokio::test]
async fn what_one_role_denies_another_role_may_allow() {
    let both = |community: &mut Community, channel: Id| {
        let bot = community.bot;
        let (one, other) = (community.grant(bot, 0), community.grant(bot, 0));
        community.overwrite(channel, one, Overwrite { allow: 0, deny: VIEW | HISTORY });
        community.overwrite(channel, other, Overwrite { allow: VIEW | HISTORY, deny: 0 });
    };
    assert!(reads(both).await);
}

#[tokio::test]
async fn what_is_said_of_the_bot_itself_is_the_last_word() {
    let own = |overwrite: Overwrite| {
        move |community: &mut Community, channel: Id| {
            let bot = community.bot;
            let role = community.grant(bot, 0);
            let opposite = Overwrite { allow: overwrite.deny, deny: overwrite.allow };
            community.overwrite(channel, role, opposite);
            community.overwrite(channel, bot, overwrite);
        }
    };
    assert!(!reads(own(Overwrite { allow: 0, deny: HISTORY })).await);
    assert!(reads(own(Overwrite { allow: HISTORY, deny: 0 })).await);
}

#[tokio::test]
async fn a_role_that_the_bot_has_not_changes_nothing() {
    let foreign = |community: &mut Community, channel: Id| {
        let owner = community.users().next().expect("the owner").id;
        let role = community.grant(owner, 0);
        community.overwrite(channel, role, Overwrite { allow: 0, deny: VIEW });
    };
    assert!(reads(foreign).await);
}

#[tokio::test]
async fn an_administrator_may_everything() {
    let administrator = |community: &mut Community, channel: Id| {
        community.hide(channel);
        community.make_bot_administrator();
    };
    assert!(reads(administrator).await);
}

/// A voice channel is not read by those who may not connect to it.
#[tokio::test]
async fn a_voice_channel_wants_one_permission_more() {
    let Small { site, ada, .. } = Small::start().await;
    let lounge = site.edit(|community| {
        let lounge = community.add_channel(Kind::Voice, "Lounge");
        community.post(lounge, ada, "Static");
        let everybody = community.guild;
        community.overwrite(lounge, everybody, Overwrite { allow: 0, deny: CONNECT });
        lounge
    });
    let run = rehearsal(&site).run().await;
    assert_eq!(run.state.as_ref().expect("a state")["closed"], json!([lounge.to_string()]));
    site.edit(|community| community.show(lounge));
    let check = check_after(&site, &run, 20).await;
    assert!(found(&[&check]).values().any(|it| it.said == "Static"), "{check}");
}
