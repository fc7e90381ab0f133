//! Whose bot it is, and what it is let see.

use super::*;

fn connection(site: &Simulated, settings: Value) -> RawConnection {
    let now = site.look(Community::now);
    RawConnection::new(settings, now, Access::with(token()))
}

async fn verified(site: &Simulated, settings: Value) -> Result<()> {
    let registry = Registry::default().with(integration(site));
    registry.find("discord").expect("discord").verify(connection(site, settings)).await
}

#[tokio::test]
async fn a_bot_is_identified_by_one_request() {
    let Small { site, .. } = Small::start().await;
    let owner = integration(&site).identify(&Access::with(token())).await.expect("an owner");
    let bot = site.look(|community| community.bot).to_string();
    assert_eq!((owner.id, owner.name.as_str()), (bot, "millrace"));
    assert_eq!(site.request_count(), 1);
}

#[tokio::test]
async fn a_foreign_token_asks_to_reconnect() {
    let Small { site, .. } = Small::start().await;
    let foreign = Credential::Secret { secret: "stolen".into() };
    let error = integration(&site).identify(&Access::with(foreign.clone())).await.unwrap_err();
    assert!(matches!(error, SyncError::Unauthorized(_)), "{error:?}");
    let run = rehearsal(&site).credential(foreign).run().await;
    assert_eq!(run.ending, Ending::NeedsReconnect, "{run}");
    assert!(!run.to_string().contains("stolen"));
}

#[tokio::test]
async fn settings_that_can_work_are_verified_by_two_requests() {
    let Small { site, .. } = Small::start().await;
    verified(&site, settings(&site)).await.expect("they can");
    assert_eq!(site.request_count(), 2);
}

#[tokio::test]
async fn a_guild_that_the_bot_is_not_in_is_named() {
    let Small { site, .. } = Small::start().await;
    let error = verified(&site, json!({"guild_id": "1234"})).await.unwrap_err();
    assert!(matches!(error, SyncError::Permanent(_)), "{error:?}");
    assert_eq!(error.to_string(), "there is no guild 1234, or the bot was not invited to it");
    let run = rehearsal(&site).settings(json!({"guild_id": "1234"})).run().await;
    assert!(run.to_string().contains("there is no guild 1234"), "{run}");
    assert!(matches!(run.ending, Ending::Hole { .. }), "{run}");
}

#[tokio::test]
async fn intents_that_are_missing_are_named() {
    let Small { site, .. } = Small::start().await;
    site.edit(|community| community.content_intent = false);
    let error = verified(&site, settings(&site)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "switch on the bot's Message Content Intent in Discord's developer portal"
    );
    site.edit(|community| community.members_intent = false);
    let error = verified(&site, settings(&site)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "switch on the bot's Server Members Intent and the Message Content Intent in Discord's \
         developer portal"
    );
}

/// A category, a channel that is closed to the bot, and one that is gone.
fn out_of_reach(community: &mut Community) -> [String; 3] {
    let category = community.add_channel(Kind::Category, "Community");
    let closed = community.add_channel(Kind::Text, "moderators");
    community.hide(closed);
    let gone = community.add_channel(Kind::Text, "gone");
    community.remove_channel(gone);
    [category, closed, gone].map(|channel| channel.to_string())
}

async fn chosen(site: &Simulated, units: &[&str]) -> Result<()> {
    let registry = Registry::default().with(integration(site));
    let units = units.iter().map(|&unit| unit.to_owned()).collect();
    let connection = RawConnection { units, ..connection(site, settings(site)) };
    registry.find("discord").expect("discord").verify(connection).await
}

#[tokio::test]
async fn a_chosen_channel_that_cannot_be_read_is_named_when_connecting() {
    let Small { site, general, .. } = Small::start().await;
    let [category, closed, gone] = site.edit(out_of_reach);
    let general = general.to_string();
    site.clear_requests();
    chosen(&site, &[&general]).await.expect("it can be read");
    assert_eq!(site.request_count(), 5);
    let said = [
        (category, "nothing is written in Community itself: choose channels of it"),
        (
            closed,
            "the bot may not read #moderators: let it view the channel and read its history, and \
             connect where people talk",
        ),
        (gone.clone(), &*format!("there is no channel {gone} in the guild")),
    ];
    for (unit, sentence) in said {
        let error = chosen(&site, &[&general, &unit]).await.expect_err("it cannot");
        assert!(matches!(error, SyncError::Permanent(_)), "{error:?}");
        assert_eq!(error.to_string(), sentence);
    }
}

#[tokio::test]
async fn a_chosen_channel_that_cannot_be_read_is_a_hole_that_says_so() {
    let Small { site, ada, general, .. } = Small::start().await;
    let [category, closed, gone] = site.edit(out_of_reach);
    let general = general.to_string();
    let units = [general.as_str(), &category, &closed, &gone];
    let run = rehearsal(&site).units(&units).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 3 }, "{run}");
    assert_eq!((run.attempts_spent, found(&[&run]).len()), (3, 2), "{run}");
    assert!(run.to_string().contains("the bot may not read #moderators"), "{run}");

    // And is read wholly when it opens.
    site.edit(|community| {
        let moderators = community.channels().find(|it| it.name == "moderators").expect("it").id;
        let begun = community.post(moderators, ada, "Behind closed doors");
        let thread = community.start_thread(begun, "In depth");
        community.post(thread, ada, "in a thread");
        community.archive(thread);
        community.pass(TimeDelta::days(3));
        community.show(moderators);
    });
    let now = site.look(Community::now).to_rfc3339();
    let check = rehearsal(&site).check().at(&now).state(run.state).units(&units).run().await;
    assert_eq!(check.ending, Ending::Hole { streams: 2 }, "{check}");
    let said: BTreeSet<_> = found(&[&check]).into_values().map(|it| it.said).collect();
    assert!(said.contains("Behind closed doors") && said.contains("in a thread"), "{check}");
}

#[tokio::test]
async fn channels_are_discovered_but_no_categories_no_threads_and_none_that_is_closed() {
    let Small { site, ada, general, .. } = Small::start().await;
    site.edit(|community| {
        let category = community.add_channel(Kind::Category, "Community");
        community.channel_mut(general).parent = Some(category);
        let forum = community.add_channel(Kind::Forum, "help");
        community.start_post(forum, ada, "Help!", "It stopped");
        let closed = community.add_channel(Kind::Text, "moderators");
        community.hide(closed);
    });
    let registry = Registry::default().with(integration(&site));
    let discord = registry.find("discord").expect("discord");
    let units = discord.discover(connection(&site, settings(&site))).await.expect("units");
    let units: Vec<_> =
        units.iter().map(|unit| (unit.name.as_str(), unit.description.as_deref())).collect();
    assert_eq!(units, [("general", Some("Community")), ("help", None)]);
}
