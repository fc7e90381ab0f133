//! A check asks for what is new, and moves on only where it has read.

use super::*;

#[tokio::test]
async fn a_check_with_nothing_new_asks_for_the_list_and_each_channel_once() {
    let slack = serve(Workspace::realistic(7, 1200)).await;
    let run = onboarding(&slack).members(people(&slack)).run().await;
    let nothing = check_after(&slack, &run, TimeDelta::hours(1)).run().await;
    assert_eq!(nothing.ending, Ending::Processed, "{nothing}");
    assert_eq!((nothing.requests, nothing.operations.len()), (1 + 5, 0), "{nothing}");
    assert_eq!(slack.requests_of("conversations.list"), 1);
    assert_eq!(slack.requests_of("conversations.history"), 5);
}

#[tokio::test]
async fn a_check_finds_a_message_a_reply_an_edit_and_a_newcomer() {
    let talk = Talk::begin().await;
    let old = talk.post("Never mind");
    talk.slack.edit(|workspace| workspace.turn_to(workspace.now() + TimeDelta::hours(1)));
    let run = onboarding(&talk.slack).run().await;
    talk.slack.edit(|workspace| {
        workspace.turn_to(workspace.now() + TimeDelta::hours(1));
        let kim = workspace.add_user("kim", "Kim");
        workspace.join(&talk.general, &kim);
        workspace.reply(&talk.question, &kim, "Because not.");
        workspace.post(&talk.general, &talk.ben, &format!("Welcome <@{kim}>"));
        workspace.edit(&old, "I do mind");
    });
    // The directory does not know Kim yet.
    let known: Vec<_> =
        people(&talk.slack).into_iter().filter(|(_, it)| it.username != "kim").collect();
    let check = check(&talk.slack, &run).members(known).run().await;
    assert_eq!(check.ending, Ending::Processed, "{check}");
    assert_eq!(found(&[&run, &check]), truth(&talk.slack));
    let new: BTreeSet<_> = found(&[&check]).into_values().filter_map(|(_, _, body)| body).collect();
    assert_eq!(new, ["Because not.", "I do mind", "Welcome @kim"].map(str::to_owned).into());
    let members: Vec<_> = check.members().map(|member| &member.identity.username).collect();
    assert_eq!(members, ["kim"]);
    // Kim as one who is mentioned, and as an author whose profile is kept.
    assert_eq!(talk.slack.requests_of("users.info"), 2);
}

#[tokio::test]
async fn however_many_are_new_there_is_no_gap_and_not_a_page_more() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    let before = talk.slack.look(Workspace::now);
    talk.slack.edit(|workspace| {
        workspace.turn_to(before + TimeDelta::days(2));
        for number in 0..450 {
            workspace.post(&talk.general, &talk.ada, &format!("number {number}"));
        }
    });
    let check = check(&talk.slack, &run).run().await;
    assert_eq!(found(&[&run, &check]), truth(&talk.slack));
    assert_eq!(talk.slack.requests_of("conversations.history"), 3, "{check}");
}

#[tokio::test]
async fn a_channel_that_could_not_be_read_is_read_again_from_where_it_was_known() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    talk.slack.edit(|workspace| workspace.turn_to(workspace.now() + TimeDelta::hours(3)));
    talk.post("lost for now");
    let rehearsal = check(&talk.slack, &run);
    talk.slack.misbehave("conversations.history", 5, Fault::Says("internal_error"));
    let failed = rehearsal.run().await;
    assert_eq!(failed.ending, Ending::Hole { streams: 1 }, "{failed}");
    assert_eq!(failed.state, run.state);

    let later = check_after(&talk.slack, &failed, TimeDelta::days(3)).run().await;
    assert_eq!(found(&[&run, &later]), truth(&talk.slack));
}

/// The forerunner took such a channel for known from then on.
#[tokio::test]
async fn a_channel_first_met_by_a_check_that_cannot_read_it_is_read_wholly_by_a_later_one() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    let random = talk.slack.edit(|workspace| {
        let random = workspace.add_channel("random");
        for number in 0..250 {
            workspace.post(&random, &talk.ben, &number.to_string());
        }
        let root = workspace.post(&random, &talk.ben, "Long ago");
        workspace.reply(&root, &talk.ada, "Indeed");
        workspace.turn_to(workspace.now() + TimeDelta::days(200));
        random.to_string()
    });
    let mut next = check(&talk.slack, &run);
    // None of it, and all but its first page.
    for unreadable in [random.as_str(), "cursor"] {
        let what = format!("conversations.history {unreadable}");
        talk.slack.misbehave(&what, 5, Fault::Says("internal_error"));
        let failed = next.run().await;
        assert_eq!(failed.ending, Ending::Hole { streams: 1 }, "{failed}");
        next = check(&talk.slack, &failed);
    }
    let healed = next.run().await;
    assert_eq!((&healed.ending, found(&[&run, &healed])), (&Ending::Processed, truth(&talk.slack)));
}

#[tokio::test]
async fn a_thread_that_could_not_be_read_is_read_by_the_next_check_and_nothing_else_is() {
    let talk = Talk::begin().await;
    talk.slack.misbehave("conversations.replies", 5, Fault::Says("fatal_error"));
    let run = onboarding(&talk.slack).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");

    let healed = check_after(&talk.slack, &run, TimeDelta::days(60)).run().await;
    assert_eq!(healed.ending, Ending::Processed, "{healed}");
    assert_eq!(found(&[&run, &healed]), truth(&talk.slack));
    assert_eq!(talk.slack.requests_of("conversations.replies"), 1, "{healed}");
    let nothing = check(&talk.slack, &healed).run().await;
    assert_eq!(talk.slack.requests_of("conversations.replies"), 0, "{nothing}");
}

#[tokio::test]
async fn a_thread_that_fails_again_with_a_reply_in_between_is_read_from_where_it_failed_first() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    let mut last = run;
    let mut runs = Vec::new();
    for text in ["lost at first", "lost as well"] {
        talk.slack.edit(|workspace| workspace.turn_to(workspace.now() + TimeDelta::hours(1)));
        talk.reply(text);
        let rehearsal = check_after(&talk.slack, &last, TimeDelta::hours(1));
        talk.slack.misbehave("conversations.replies", 10, Fault::Says("fatal_error"));
        runs.push(last);
        last = rehearsal.run().await;
        assert!(matches!(last.ending, Ending::Hole { .. }), "{last}");
        talk.slack.behave();
    }
    runs.push(last);
    let healed = check_after(&talk.slack, &runs[2], TimeDelta::days(60)).run().await;
    assert_eq!(healed.ending, Ending::Processed, "{healed}");
    runs.push(healed);
    assert_eq!(found(&runs.iter().collect::<Vec<_>>()), truth(&talk.slack));
}

#[tokio::test]
async fn a_channel_whose_threads_all_fail_is_not_remembered_thread_by_thread() {
    let mut workspace = Workspace::empty();
    let ada = workspace.add_user("ada", "Ada");
    let general = workspace.add_channel("general");
    for number in 0..201 {
        let root = workspace.post(&general, &ada, &number.to_string());
        workspace.reply(&root, &ada, "indeed");
    }
    let slack = serve(workspace).await;
    slack.misbehave("conversations.replies", 201, Fault::Says("invalid_arguments"));
    let run = onboarding(&slack).members(people(&slack)).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 201 });
    let state = run.state.clone().expect("a state");
    assert_eq!(state["channels"][general.to_string()], json!({"looks": []}));
    let healed = check(&slack, &run).run().await;
    assert_eq!(found(&[&run, &healed]), truth(&slack));
}

#[tokio::test]
async fn a_channel_that_the_app_is_invited_to_is_read_wholly_by_a_check() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    talk.slack.edit(|workspace| {
        let random = workspace.add_channel("random");
        let root = workspace.post(&random, &talk.ben, "Long ago");
        workspace.reply(&root, &talk.ada, "Indeed");
        workspace.turn_to(workspace.now() + TimeDelta::days(200));
    });
    let check = check(&talk.slack, &run).run().await;
    assert_eq!(found(&[&run, &check]), truth(&talk.slack));
}

/// In an onboarding they come first; but whoever cannot be listed hides no channel for ever.
#[tokio::test]
async fn users_that_can_never_be_listed_do_not_keep_checks_from_reading_channels() {
    let talk = Talk::begin().await;
    for error in ["internal_error", "missing_scope"] {
        talk.slack.misbehave("users.list", sandbox::slack::ALWAYS, Fault::Says(error));
        let run = onboarding(&talk.slack).run().await;
        assert_eq!((&run.ending, found(&[&run]).len()), (&Ending::Hole { streams: 1 }, 0), "{run}");
        let next = check(&talk.slack, &run).run().await;
        assert_eq!(next.ending, Ending::Hole { streams: 1 }, "{next}");
        assert_eq!(found(&[&next]), truth(&talk.slack), "{next}");
        talk.slack.edit(|workspace| workspace.turn_to(workspace.now() + TimeDelta::hours(1)));
        let nothing = check(&talk.slack, &next).run().await;
        assert_eq!(nothing.activities().count(), 0, "{nothing}");
        talk.slack.behave();
        let healed = check(&talk.slack, &nothing).run().await;
        assert_eq!((&healed.ending, healed.members().count()), (&Ending::Processed, 2), "{healed}");
    }
}

#[tokio::test]
async fn users_that_could_not_be_listed_are_listed_by_the_next_check() {
    let talk = Talk::begin().await;
    talk.slack.misbehave("users.list", 5, Fault::Status(StatusCode::INTERNAL_SERVER_ERROR));
    let run = onboarding(&talk.slack).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    let healed = check(&talk.slack, &run).run().await;
    assert_eq!((healed.members().count(), found(&[&healed])), (2, truth(&talk.slack)), "{healed}");
    let nothing = check(&talk.slack, &healed).run().await;
    assert_eq!(talk.slack.requests_of("users.list"), 0, "{nothing}");
}

#[tokio::test]
async fn what_happens_during_a_long_run_is_found_by_the_next() {
    let talk = Talk::begin().await;
    let started = onboarding(&talk.slack);
    // The run was claimed a week before its pages were read, and something came too late for them.
    let run = started.run().await;
    talk.slack.edit(|workspace| workspace.turn_to(workspace.now() + TimeDelta::days(3)));
    talk.reply("in the meantime");
    talk.post("and this");
    let check = check_after(&talk.slack, &run, TimeDelta::days(4)).run().await;
    assert_eq!(found(&[&run, &check]), truth(&talk.slack));
}
