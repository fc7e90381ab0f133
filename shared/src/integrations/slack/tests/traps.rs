//! What the forerunner got wrong, each by the name of what must not happen again.

use super::*;
use crate::domain::RawStream;
use crate::sdk::RawConnection;

#[tokio::test]
async fn the_list_of_channels_and_the_list_of_users_go_on_after_their_first_page() {
    let mut workspace = Workspace::empty();
    let users: Vec<_> = (0..450).map(|n| workspace.add_user(&format!("u{n}"), "U")).collect();
    for (number, user) in users.iter().take(250).enumerate() {
        let channel = workspace.add_channel(&format!("c{number}"));
        workspace.channel_mut(&channel).has_app = number % 50 == 49;
        workspace.post(&channel, user, "hello");
    }
    let slack = serve(workspace).await;
    let run = onboarding(&slack).members(people(&slack)).run().await;
    assert_eq!((found(&[&run]).len(), run.members().count()), (5, 450), "{run}");
    assert_eq!(found(&[&run]), truth(&slack));
    assert_eq!(slack.requests_of("conversations.list"), 2);
    assert_eq!(slack.requests_of("users.list"), 3);
}

#[tokio::test]
async fn retry_after_is_believed_to_the_second_and_not_sixty_always() {
    let talk = Talk::begin().await;
    talk.slack.misbehave("conversations.history", 1, Fault::RateLimited(7));
    let run = onboarding(&talk.slack).run().await;
    assert_eq!(run.waits, [std::time::Duration::from_secs(7)], "{run}");
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0));
}

#[tokio::test]
async fn messages_of_one_instant_in_two_channels_are_two_messages() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| {
        let random = workspace.add_channel("random");
        workspace.post_everywhere(&[talk.general.clone(), random], &talk.ada, "Hi all");
    });
    let run = onboarding(&talk.slack).run().await;
    assert_eq!(found(&[&run]), truth(&talk.slack));
    assert_eq!(found(&[&run]).values().filter(|it| it.2.as_deref() == Some("Hi all")).count(), 2);
}

#[tokio::test]
async fn a_threads_first_message_is_not_its_own_parent() {
    let slack = serve(Workspace::realistic(7, 400)).await;
    let run = onboarding(&slack).run().await;
    for activity in run.activities() {
        assert_ne!(activity.source_parent_id.as_ref(), Some(&activity.source_id));
    }
}

#[tokio::test]
async fn leaving_topics_and_bots_are_no_messages() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| {
        let bot = workspace.add_bot("deploys");
        workspace.post_by_app(&talk.general, &bot, "Deployed.");
        workspace.post_by_webhook(&talk.general, "Build is green");
        workspace.set_topic(&talk.general, &talk.ada, "Everything");
        workspace.leave(&talk.general, &talk.ada);
    });
    let run = onboarding(&talk.slack).run().await;
    let bodies: Vec<_> = run.activities().map(|it| (&*it.kind, it.body.as_deref())).collect();
    assert_eq!(bodies, [("message", Some("Why?")), ("message", Some("Because."))]);
}

#[tokio::test]
async fn what_a_person_writes_by_an_app_is_theirs() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| workspace.post_by_app(&talk.general, &talk.ben, "via the app"));
    let run = onboarding(&talk.slack).run().await;
    assert_eq!(found(&[&run]), truth(&talk.slack));
    assert_eq!(found(&[&run]).len(), 3);
}

#[tokio::test]
async fn a_join_has_its_time_and_there_is_none_in_1970() {
    let talk = Talk::begin().await;
    let joined = talk.slack.edit(|workspace| workspace.join(&talk.general, &talk.ben));
    let run = onboarding(&talk.slack).run().await;
    let joins: Vec<_> = run.activities().filter(|it| it.kind == "channel_joined").collect();
    assert_eq!(joins.len(), 1);
    assert_eq!(joins[0].timestamp.timestamp(), joined.ts.seconds);
    assert_eq!((joins[0].score, joins[0].is_contribution), (3, false));
}

/// A join says nothing of who it is that joins, and an app joins wherever it is invited.
#[tokio::test]
async fn an_app_that_joins_is_nobody_and_people_who_do_cost_no_request() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| {
        let bot = workspace.add_bot("deploys");
        let random = workspace.add_channel("random");
        for channel in [&talk.general, &random] {
            workspace.join(channel, &bot);
            workspace.join(channel, &talk.ada);
        }
    });
    let run = onboarding(&talk.slack).members(people(&talk.slack)).run().await;
    let ada = Some(talk.ada.to_string());
    let joins = || run.activities().filter(|activity| activity.kind == "channel_joined");
    assert_eq!(joins().count(), 2, "{run}");
    assert!(joins().all(|join| join.member.identity.source_id == ada), "{run}");
    // The bot, once in the run; of the app we know who it is.
    assert_eq!(talk.slack.requests_of("users.info"), 1, "{run}");
}

/// The answers of one minute must be enough for a page.
#[tokio::test]
async fn however_many_strangers_join_a_page_asks_for_a_few_of_them() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| {
        for number in 0..120 {
            let guest = workspace.add_stranger(&format!("guest{number}"), "A Guest");
            workspace.join(&talk.general, &guest);
        }
    });
    let connection = RawConnection::new(json!({}), Utc::now(), Access::with(secret(TOKEN)));
    let run = erased(&talk.slack).begin(connection).await.expect("a run");
    let channel = json!({"id": talk.general.to_string(), "name": "general"});
    let payload = json!({"stream": "channel", "channel": channel});
    let page = run.process_stream(&RawStream { name: "channel".to_owned(), payload }).await;
    assert_eq!(page.expect("a page").records(), 121, "the question, and those who joined");
    assert_eq!(talk.slack.requests_of("users.info"), 25);
}

#[tokio::test]
async fn checks_do_not_read_again_the_threads_that_nobody_answered_since() {
    let slack = serve(Workspace::realistic(7, 600)).await;
    let run = onboarding(&slack).members(people(&slack)).run().await;
    let mut last = check_after(&slack, &run, TimeDelta::hours(1)).run().await;
    for _ in 0..4 {
        let looked_after = lingering(&last);
        last = check_after(&slack, &last, TimeDelta::hours(24)).run().await;
        assert_eq!(slack.requests_of("conversations.replies"), looked_after, "{last}");
        assert_eq!(last.activities().count(), 0, "{last}");
    }
}

/// Old threads are looked at by themselves once a day.
fn lingering(run: &Rehearsed) -> usize {
    let state = run.state.as_ref().expect("a state");
    let channels = state["channels"].as_object().expect("channels").values();
    let threads = channels.filter_map(|channel| Some(channel.get("lingering")?.as_object()?.len()));
    threads.sum()
}

#[tokio::test]
async fn an_author_is_not_asked_for_once_a_message() {
    let slack = serve(Workspace::realistic(7, 600)).await;
    let run = onboarding(&slack).members(people(&slack)).run().await;
    assert!(run.activities().count() > 400);
    assert!(slack.requests_of("users.info") <= 3, "{run}");
}

#[tokio::test]
async fn a_renamed_user_is_the_same_account_under_another_name() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    talk.slack.edit(|workspace| {
        "ada.l".clone_into(&mut workspace.user_mut(&talk.ada).name);
        workspace.turn_to(workspace.now() + TimeDelta::hours(1));
    });
    talk.post("It is me");
    let later = check(&talk.slack, &run).members(Vec::new()).run().await;
    let ada = later.members().next().expect("a member");
    assert_eq!(ada.identity.username, "ada.l");
    assert_eq!(ada.identity.source_id, Some(talk.ada.to_string()));
    let message = later.activities().next().expect("an activity");
    assert_eq!(message.member.identity.source_id, ada.identity.source_id);
}
