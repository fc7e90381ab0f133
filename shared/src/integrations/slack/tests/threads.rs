//! Which threads a check reads, and which it cannot know of.

use super::*;

/// An onboarding, and so much later a reply to the question.
async fn answered_after(pause: TimeDelta) -> (Talk, Rehearsed) {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    talk.slack.edit(|workspace| workspace.turn_to(workspace.now() + pause));
    talk.reply("Much later.");
    (talk, run)
}

/// A check every twenty minutes until the reply is found, and after how many it was.
async fn checks_until_found(talk: &Talk, run: Rehearsed, most: u32) -> Option<u32> {
    let mut state = run;
    for number in 1..=most {
        let next = check(&talk.slack, &state).run().await;
        assert_eq!(next.ending, Ending::Processed, "{next}");
        if next.activities().any(|activity| activity.body.as_deref() == Some("Much later.")) {
            return Some(number);
        }
        state = next;
    }
    None
}

/// Checks every six hours for so long.
async fn checks_for(talk: &Talk, run: Rehearsed, days: i64) -> Rehearsed {
    let mut last = run;
    for _ in 0..days * 4 {
        last = check_after(&talk.slack, &last, TimeDelta::hours(6)).run().await;
    }
    last
}

#[tokio::test]
async fn a_reply_within_a_day_is_found_by_the_next_check() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    let run = check_after(&talk.slack, &run, TimeDelta::hours(20)).run().await;
    talk.reply("Much later.");
    assert_eq!(checks_until_found(&talk, run, 1).await, Some(1));
}

#[tokio::test]
async fn a_reply_within_a_week_is_found_within_six_hours() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    let run = checks_for(&talk, run, 5).await;
    talk.reply("Much later.");
    let found = checks_until_found(&talk, run, 19).await.expect("found");
    assert!(found > 1, "found by the first check");
}

#[tokio::test]
async fn a_reply_within_a_month_is_found_within_a_day() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    let run = checks_for(&talk, run, 25).await;
    talk.reply("Much later.");
    let found = checks_until_found(&talk, run, 73).await.expect("found");
    assert!(found > 19, "found after {found} checks");
}

#[tokio::test]
async fn a_thread_older_than_the_horizon_is_looked_after_while_it_is_answered() {
    let talk = Talk::begin().await;
    let mut last = onboarding(&talk.slack).run().await;
    for week in 0..10 {
        last = checks_for(&talk, last, 7).await;
        talk.reply(&format!("week {week}"));
    }
    let last = checks_for(&talk, last, 2).await;
    let lingering = &last.state.as_ref().expect("a state")["channels"];
    assert_eq!(
        lingering[talk.general.to_string()]["lingering"].as_object().map(|it| it.len()),
        Some(1)
    );
    talk.reply("Much later.");
    assert!(checks_until_found(&talk, last, 73).await.is_some());
}

#[tokio::test]
async fn a_thread_that_nobody_answers_any_more_is_forgotten_after_the_horizon() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    let last = checks_for(&talk, run, 35).await;
    let memory = &last.state.as_ref().expect("a state")["channels"][talk.general.to_string()];
    assert_eq!(memory.get("lingering"), None);
    talk.slack.clear_requests();
    let last = checks_for(&talk, last, 2).await;
    assert_eq!(talk.slack.requests_of("conversations.replies"), 0, "{last}");
}

#[tokio::test]
async fn an_onboarding_notes_old_threads_that_are_still_answered() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| workspace.turn_to(workspace.now() + TimeDelta::days(100)));
    talk.reply("still going");
    let run = onboarding(&talk.slack).run().await;
    let run = checks_for(&talk, run, 3).await;
    talk.reply("Much later.");
    assert!(checks_until_found(&talk, run, 73).await.is_some());
}

#[tokio::test]
async fn a_forgotten_thread_is_found_again_when_a_reply_goes_to_the_channel_too() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    let run = checks_for(&talk, run, 65).await;
    talk.reply("unseen so far");
    talk.slack.edit(|workspace| workspace.broadcast(&talk.question, &talk.ada, "Still why?"));
    let seen = check(&talk.slack, &run).run().await;
    let bodies: Vec<_> = seen.activities().filter_map(|it| it.body.as_deref()).collect();
    assert!(bodies.contains(&"unseen so far") && bodies.contains(&"Still why?"), "{bodies:?}");

    // And from now on it is looked after.
    let last = checks_for(&talk, seen, 3).await;
    talk.reply("Much later.");
    assert!(checks_until_found(&talk, last, 73).await.is_some());
}

#[tokio::test]
async fn what_cannot_be_seen_is_a_quiet_reply_to_a_forgotten_thread_until_an_onboarding() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    let last = checks_for(&talk, run, 65).await;
    talk.reply("Much later.");
    let last = checks_for(&talk, last, 3).await;
    assert!(!found(&[&last]).values().any(|(_, _, body)| body.as_deref() == Some("Much later.")));
    let again = onboarding(&talk.slack).state(last.state).run().await;
    assert_eq!(found(&[&again]), truth(&talk.slack));
}

#[tokio::test]
async fn however_long_checks_were_paused_no_thread_falls_between_two_looks() {
    for days in [2, 9, 40] {
        let (talk, run) = answered_after(TimeDelta::days(days)).await;
        assert_eq!(checks_until_found(&talk, run, 1).await, Some(1), "after {days} days");
    }
}

#[tokio::test]
async fn only_the_new_replies_of_a_long_thread_are_asked_for() {
    let talk = Talk::begin().await;
    for number in 0..450 {
        talk.reply(&number.to_string());
    }
    talk.slack.edit(|workspace| workspace.turn_to(workspace.now() + TimeDelta::hours(1)));
    let run = onboarding(&talk.slack).run().await;
    assert_eq!(talk.slack.requests_of("conversations.replies"), 3);
    assert_eq!(found(&[&run]), truth(&talk.slack));
    talk.slack.edit(|workspace| workspace.turn_to(workspace.now() + TimeDelta::hours(1)));
    talk.reply("Much later.");
    let check = check(&talk.slack, &run).run().await;
    assert_eq!(talk.slack.requests_of("conversations.replies"), 1);
    assert_eq!(check.activities().count(), 1, "{check}");
}

#[tokio::test]
async fn a_thread_is_read_alike_whether_its_first_message_stands_on_every_page_or_not() {
    for on_every_page in [true, false] {
        let talk = Talk::begin().await;
        for number in 0..450 {
            talk.reply(&number.to_string());
        }
        talk.slack.edit(|workspace| workspace.roots_on_every_page = on_every_page);
        let run = onboarding(&talk.slack).run().await;
        assert_eq!((&run.ending, found(&[&run])), (&Ending::Processed, truth(&talk.slack)));
        let replies = run.activities().filter(|activity| activity.source_parent_id.is_some());
        let about: BTreeSet<_> =
            replies.map(|reply| reply.attributes["thread"]["body"].to_string()).collect();
        assert_eq!(about, ["\"Why?\"".to_owned()].into());
    }
}

#[tokio::test]
async fn a_thread_that_is_gone_when_it_is_read_is_no_failure() {
    let talk = Talk::begin().await;
    talk.slack.misbehave("conversations.replies", 1, Fault::Says("thread_not_found"));
    let run = onboarding(&talk.slack).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
}

#[tokio::test]
async fn people_answer_a_bot_and_a_message_that_was_deleted() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| {
        let bot = workspace.add_bot("deploys");
        for root in [
            workspace.post_by_app(&talk.general, &bot, "Deployed."),
            workspace.post_by_webhook(&talk.general, "Deployed again."),
        ] {
            workspace.reply(&root, &talk.ada, "Thank you");
        }
        workspace.delete(&talk.question);
    });
    let run = onboarding(&talk.slack).run().await;
    assert_eq!(found(&[&run]), truth(&talk.slack));
    let bodies: Vec<_> = run.activities().filter_map(|it| it.body.as_deref()).collect();
    assert_eq!(bodies, ["Thank you", "Thank you", "Because."]);
}

#[tokio::test]
async fn an_edit_is_found_as_late_as_a_reply_would_be() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    let run = checks_for(&talk, run, 20).await;
    talk.slack.edit(|workspace| workspace.edit(&talk.question, "Much later."));
    let found = checks_until_found(&talk, run, 73).await.expect("found");
    assert!(found > 19, "found after {found} checks");
}
