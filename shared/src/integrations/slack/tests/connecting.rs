//! Before the first run: whose token it is, whether it suffices, which channels there are.

use std::time::Duration;

use super::*;
use crate::sdk::{Oauth2, RawConnection};

fn connection(units: &[&str]) -> RawConnection {
    let access = Access::with(secret(TOKEN));
    let units = units.iter().map(|&unit| unit.to_owned()).collect();
    RawConnection { units, ..RawConnection::new(json!({}), Utc::now(), access) }
}

#[tokio::test]
async fn a_token_belongs_to_a_workspace() {
    let slack = serve(Workspace::empty()).await;
    let owner = erased(&slack).identify(&Access::with(secret(TOKEN))).await.expect("an owner");
    assert_eq!(owner, Owner { id: "T0ACME000".into(), name: "Acme".into() });
    assert_eq!(slack.request_count(), 1);
    let refused = erased(&slack).identify(&Access::with(secret("xoxb-other"))).await;
    assert!(matches!(refused, Err(SyncError::Unauthorized(_))), "{refused:?}");
}

#[tokio::test]
async fn all_public_channels_and_the_private_ones_we_are_in_can_be_chosen() {
    let mut workspace = Workspace::realistic(7, 0);
    for number in 0..250 {
        workspace.add_channel(&format!("c{number}"));
    }
    let gone = workspace.add_channel("gone");
    workspace.channel_mut(&gone).is_archived = true;
    let help = workspace.channels().nth(2).expect("a channel").id.clone();
    workspace.channel_mut(&help).purpose.clear();
    "the topic".clone_into(&mut workspace.channel_mut(&help).topic);
    let slack = serve(workspace).await;

    let units = erased(&slack).discover(connection(&[])).await.expect("units");
    let names: BTreeSet<_> = units.iter().map(|unit| unit.name.as_str()).collect();
    assert_eq!(units.len(), 250 + 6);
    assert!(names.contains("plugins") && names.contains("sales") && names.contains("c249"));
    assert!(!names.contains("board") && !names.contains("gone"));
    assert!(units.iter().all(|unit| unit.item_count.is_none()));
    let described = |name| {
        let unit = units.iter().find(|unit| unit.name == name).expect("a unit");
        unit.description.as_deref()
    };
    assert_eq!(described("help"), Some("Ask anything"));
    assert_eq!((described("random"), described("c1")), (Some("the topic"), None));
}

#[tokio::test]
async fn settings_that_can_work_cost_a_request_for_each_list() {
    let slack = serve(Workspace::realistic(7, 0)).await;
    let [help, sales, board] = ["help", "sales", "board"].map(|name| {
        slack.look(|it| it.channels().find(|it| it.name == name).expect("a channel").id.to_string())
    });
    let verified = |units: Vec<String>| {
        let slack = &slack;
        async move {
            let units: Vec<_> = units.iter().map(String::as_str).collect();
            erased(slack).verify(connection(&units)).await
        }
    };
    verified(vec![help]).await.expect("it can work");
    assert_eq!(slack.request_count(), 2);
    let closed = verified(vec![sales]).await.expect_err("not in it").to_string();
    assert_eq!(closed, "invite the app to #sales first");
    let unseen = verified(vec![board.clone()]).await.expect_err("not seen");
    let unseen = format!("{unseen:#}");
    assert!(unseen.starts_with(&format!("the chosen channel {board}: ")), "{unseen}");
    assert!(
        unseen.contains("there is no such channel, or the app was not invited to it"),
        "{unseen}"
    );
    slack.edit(|workspace| workspace.grants.scopes.remove("users:read"));
    let scope = verified(vec![]).await.expect_err("no scope");
    assert!(format!("{:?}", scope).contains("`users:read`"), "{scope:?}");
}

/// Whoever connects waits for it, and Slack answers fifty questions a minute about single channels.
#[tokio::test]
async fn however_many_channels_are_chosen_a_few_requests_verify_them() {
    let mut workspace = Workspace::empty();
    let channels: Vec<_> = (0..450).map(|n| workspace.add_channel(&format!("c{n}"))).collect();
    let slack = serve(workspace).await;
    slack.limit(Some(Pace::Clock));
    let chosen: Vec<_> = channels.iter().step_by(3).map(ToString::to_string).collect();
    let chosen: Vec<_> = chosen[..120].iter().map(String::as_str).collect();
    erased(&slack).verify(connection(&chosen)).await.expect("they can be read");
    assert_eq!((slack.requests_of("conversations.list"), slack.request_count()), (2, 3));

    slack.edit(|workspace| {
        for channel in [&channels[3], &channels[300]] {
            workspace.channel_mut(channel).has_app = false;
        }
    });
    let refused = erased(&slack).verify(connection(&chosen)).await.expect_err("two are closed");
    assert_eq!(refused.to_string(), "invite the app to #c3 and #c300 first");
}

#[tokio::test]
async fn however_large_a_workspace_is_a_few_requests_verify_what_is_chosen() {
    let mut workspace = Workspace::empty();
    let channels: Vec<_> = (0..2500).map(|n| workspace.add_channel(&format!("c{n}"))).collect();
    let slack = serve(workspace).await;
    slack.limit(Some(Pace::Clock));
    let last = channels[2499].to_string();
    erased(&slack).verify(connection(&[&last])).await.expect("it can be read");
    assert_eq!((slack.requests_of("conversations.info"), slack.request_count()), (1, 3));

    let chosen: Vec<_> = channels.iter().map(ToString::to_string).collect();
    let chosen: Vec<_> = chosen.iter().map(String::as_str).collect();
    slack.clear_requests();
    erased(&slack).verify(connection(&chosen)).await.expect("they can be read");
    assert!(slack.request_count() <= 15, "{}", slack.request_count());
}

#[tokio::test]
async fn a_token_that_rotates_is_renewed_and_its_refresh_token_kept_for_the_next_time() {
    let slack = serve(Workspace::empty()).await;
    slack.edit(|workspace| workspace.grants.refresh_token = Some("xoxe-first".into()));
    let granted = rotating();
    let renewed = erased(&slack).renew(&granted).await.expect("a new token");
    erased(&slack).identify(&Access::with(renewed.clone())).await.expect("it opens");
    erased(&slack).renew(&renewed).await.expect("and once more");
    let spent = erased(&slack).renew(&granted).await;
    assert!(matches!(spent, Err(SyncError::Unauthorized(_))), "{spent:?}");
}

#[tokio::test]
async fn a_tokens_life_is_counted_from_before_it_was_asked_for() {
    let slack = serve(Workspace::empty()).await;
    slack.edit(|workspace| workspace.grants.refresh_token = Some("xoxe-first".into()));
    let asked_at = slack.look(Workspace::now);
    let clock = Clock::standing_at(asked_at);
    let options = Options { clock: clock.clone(), ..Options::default() };
    let integration = Slack::with(&slack.url(), options).expect("an integration");

    // The answer comes when an hour has passed.
    let an_hour_passes = async { clock.advance(Duration::from_secs(3600)) };
    let granted = rotating();
    let (renewed, ()) = tokio::join!(integration.renew(&granted), an_hour_passes);

    let ends = renewed.expect("a new token").expires_at();
    assert_eq!(ends, Some(asked_at + TimeDelta::hours(12)));
}

fn rotating() -> Credential {
    Credential::Oauth2(Oauth2 {
        client_id: "1.2".into(),
        client_secret: Some("shh".into()),
        access_token: TOKEN.into(),
        refresh_token: Some("xoxe-first".into()),
        expires_at: None,
    })
}

async fn rotating_talk() -> Talk {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| workspace.grants.refresh_token = Some("xoxe-first".into()));
    talk
}

/// Slack says under status 200 what others say by a 401.
#[tokio::test]
async fn a_refused_token_that_renews_itself_is_renewed_once_and_costs_no_attempt() {
    for error in ["token_expired", "invalid_auth"] {
        for method in ["users.list", "conversations.history", "conversations.replies"] {
            let talk = rotating_talk().await;
            talk.slack.misbehave(method, 1, Fault::Says(error));
            let run = onboarding(&talk.slack).credential(rotating()).run().await;
            assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
            assert_eq!(talk.slack.requests_of("oauth.v2.access"), 1, "{method} {error}");
        }
    }
}

#[tokio::test]
async fn a_token_that_is_refused_even_when_renewed_asks_to_reconnect() {
    let talk = rotating_talk().await;
    talk.slack.misbehave("users.list", 2, Fault::Says("token_expired"));
    let run = onboarding(&talk.slack).credential(rotating()).run().await;
    assert_eq!(run.ending, Ending::NeedsReconnect, "{run}");
    assert!(run.to_string().contains("token_expired"), "{run}");
    let asked = |method| talk.slack.requests_of(method);
    assert_eq!((asked("oauth.v2.access"), asked("users.list")), (1, 2));
}
