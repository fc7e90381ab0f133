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
