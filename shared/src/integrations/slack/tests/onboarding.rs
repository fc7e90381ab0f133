//! An onboarding reads everything, and asks for nothing twice.

use super::*;

#[tokio::test]
async fn an_onboarding_finds_every_message_of_people_once_below_what_it_answers() {
    let slack = serve(Workspace::realistic(7, 1200)).await;
    let run = onboarding(&slack).members(people(&slack)).run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");

    let truth = truth(&slack);
    assert_eq!(found(&[&run]), truth);
    let messages = run.activities().filter(|activity| activity.kind == "message");
    assert_eq!(messages.count(), truth.len(), "a message was told twice");
}

#[tokio::test]
async fn an_onboarding_asks_once_for_each_page_thread_and_person_nobody_told_of() {
    let slack = serve(Workspace::realistic(7, 1200)).await;
    let run = onboarding(&slack).members(people(&slack)).run().await;

    let (pages, threads) = slack.look(|workspace| {
        let open = || workspace.channels().filter(|channel| channel.has_app);
        let in_channel = |it: &&slack::Message| it.thread.is_none() || it.broadcast;
        let pages = open().map(|it| it.messages().filter(in_channel).count().div_ceil(200));
        let threads: BTreeSet<_> = open()
            .flat_map(|channel| channel.messages().map(move |it| (&channel.id, it.thread)))
            .filter(|(_, thread)| thread.is_some())
            .collect();
        (pages.sum::<usize>(), threads.len())
    });
    assert_eq!(slack.requests_of("conversations.history"), pages);
    assert_eq!(slack.requests_of("conversations.replies"), threads);
    // The stranger, as an author and as one who is mentioned; the bot.
    assert_eq!(slack.requests_of("users.info"), 3, "{:?}", slack.requests());
    let lists = 3; // users.list, conversations.list, auth.test
    assert_eq!(run.requests as usize, pages + threads + lists + 3, "{run}");
}

#[tokio::test]
async fn everybody_who_is_no_bot_becomes_a_member_those_who_have_gone_too() {
    let slack = serve(Workspace::realistic(7, 300)).await;
    let run = onboarding(&slack).run().await;
    let found: BTreeSet<_> =
        run.members().filter_map(|member| member.identity.source_id.clone()).collect();
    let expected: BTreeSet<_> = slack.look(|workspace| {
        let strangers = workspace.users().filter(|user| user.kind == slack::Kind::Stranger);
        workspace.expected_people().chain(strangers).map(|user| user.id.to_string()).collect()
    });
    assert_eq!(found, expected);
}

#[tokio::test]
async fn every_join_of_a_channel_is_told_once() {
    let slack = serve(Workspace::realistic(7, 300)).await;
    let run = onboarding(&slack).run().await;
    let joins = run.activities().filter(|activity| activity.kind == "channel_joined");
    let mut found: Vec<_> = joins.map(|join| join.source_id.clone()).collect();
    found.sort();
    let expected = slack.look(Workspace::expected_joins).into_iter();
    let expected: Vec<_> = expected.map(|(channel, user)| format!("{channel}:{user}")).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn resuming_costs_the_page_that_was_lost_and_what_it_needed() {
    let slack = serve(Workspace::realistic(5, 150)).await;
    let whole = onboarding(&slack).members(people(&slack)).run().await;
    let resumed = onboarding(&slack).members(people(&slack)).dying_over_every_page().run().await;
    assert_eq!((found(&[&resumed]), resumed.state), (truth(&slack), whole.state));
}

#[tokio::test]
async fn the_users_come_first_and_then_the_channels_with_their_threads() {
    let talk = Talk::begin().await;
    assert_snapshot!(onboarding(&talk.slack).members(people(&talk.slack)).run().await, @r#"
    the run -> 1 stream
    {"stream":"members"} -> done: 2 records, 1 new stream
    {"stream":"channels"} -> done: 0 records, 1 new stream
    {"channel":{"id":"C00A1B2C04","name":"general"},"stream":"channel"} -> done: 1 record, 1 new stream
    {"channel":{"id":"C00A1B2C04","name":"general"},"root":"1704704401.000509","stream":"thread"} -> done: 1 record
    the run -> processed
    "#);
}

#[tokio::test]
async fn an_author_whom_the_list_did_not_tell_of_is_asked_for_once() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| {
        let guest = workspace.add_stranger("guest", "A Guest");
        for text in ["Hello", "from", "afar"] {
            workspace.post(&talk.general, &guest, text);
        }
    });
    let run = onboarding(&talk.slack).members(people(&talk.slack)).run().await;
    assert_eq!(talk.slack.requests_of("users.info"), 1, "{run}");
    assert!(run.members().any(|member| member.identity.username == "guest"), "{run}");
}

#[tokio::test]
async fn only_the_chosen_channels_are_read() {
    let slack = serve(Workspace::realistic(7, 200)).await;
    let help = slack.look(|workspace| {
        let help = workspace.channels().find(|channel| channel.name == "help");
        help.expect("a channel").id.to_string()
    });
    let run = onboarding(&slack).units(&[&help]).run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");
    let expected: BTreeMap<_, _> =
        truth(&slack).into_iter().filter(|(id, _)| id.starts_with(&help)).collect();
    assert_eq!(found(&[&run]), expected);
}

#[tokio::test]
async fn a_chosen_channel_that_is_not_there_or_not_ours_is_a_hole_that_says_so() {
    let slack = serve(Workspace::realistic(7, 50)).await;
    let sales = slack.look(|workspace| {
        let sales = workspace.channels().find(|channel| channel.name == "sales");
        sales.expect("a channel").id.to_string()
    });
    let run = onboarding(&slack).units(&[&sales, "C0GONE0000"]).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 2 }, "{run}");
    assert!(run.to_string().contains("not_in_channel`: invite the app"), "{run}");
    assert!(run.to_string().contains("channel_not_found`: there is no such channel"), "{run}");
}

/// An app that may read private channels, and is told not to list them.
#[tokio::test]
async fn a_chosen_channel_that_is_not_listed_but_open_is_read_on_by_checks_and_not_anew() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| workspace.channel_mut(&talk.general).is_private = true);
    let unlisted = json!({"private_channels": false});
    let general = talk.general.to_string();
    let chosen = |rehearsal: Rehearsal| rehearsal.settings(unlisted.clone()).units(&[&general]);
    let run = chosen(onboarding(&talk.slack)).run().await;
    assert_eq!((&run.ending, found(&[&run])), (&Ending::Processed, truth(&talk.slack)), "{run}");
    let nothing = chosen(check_after(&talk.slack, &run, TimeDelta::hours(1))).run().await;
    assert_eq!((&nothing.ending, nothing.operations.len()), (&Ending::Processed, 0), "{nothing}");
    let asked = talk.slack.requests();
    let history = asked.iter().find(|it| it.method == "conversations.history").expect("it is read");
    assert!(history.parameters.contains_key("oldest"), "{history:?}");
}

#[tokio::test]
async fn an_archived_channel_is_read_to_its_end_once() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| workspace.channel_mut(&talk.general).is_archived = true);
    let run = onboarding(&talk.slack).run().await;
    assert_eq!(found(&[&run]), truth(&talk.slack));
    let nothing = check(&talk.slack, &run).run().await;
    assert_eq!((nothing.requests, &nothing.ending), (1, &Ending::Processed), "{nothing}");
}

#[tokio::test]
async fn what_was_written_before_a_channel_was_archived_is_read_by_the_next_check() {
    let talk = Talk::begin().await;
    let run = onboarding(&talk.slack).run().await;
    talk.slack.edit(|workspace| workspace.turn_to(workspace.now() + TimeDelta::hours(1)));
    talk.post("Last words");
    talk.reply("Last but one");
    talk.slack.edit(|workspace| workspace.channel_mut(&talk.general).is_archived = true);
    let rehearsal = check(&talk.slack, &run);
    talk.slack.misbehave("conversations.replies", 5, Fault::Says("fatal_error"));
    let failed = rehearsal.run().await;
    assert_eq!(failed.ending, Ending::Hole { streams: 1 }, "{failed}");
    let last = check(&talk.slack, &failed).run().await;
    assert_eq!(found(&[&run, &failed, &last]), truth(&talk.slack));
    let nothing = check(&talk.slack, &last).run().await;
    assert_eq!((nothing.requests, &nothing.ending), (1, &Ending::Processed), "{nothing}");
}

#[tokio::test]
async fn a_user_who_is_hidden_from_us_stays_an_author_by_their_id() {
    let talk = Talk::begin().await;
    let hidden = talk.slack.edit(|workspace| {
        let hidden = workspace.add_stranger("hidden", "Hidden");
        workspace.user_mut(&hidden).kind = slack::Kind::Invisible;
        workspace.post(&talk.general, &talk.ada, &format!("<@{hidden}> are you there?"));
        workspace.post(&talk.general, &hidden, "Boo");
        hidden.to_string()
    });
    let run = onboarding(&talk.slack).run().await;
    assert_eq!((&run.ending, found(&[&run])), (&Ending::Processed, truth(&talk.slack)), "{run}");
    assert!(!run.members().any(|member| member.identity.source_id == Some(hidden.clone())));
}

/// Whatever Slack does once, and wherever, nothing is lost.
#[tokio::test]
async fn no_single_fault_loses_a_message() {
    let slack = serve(Workspace::realistic(3, 60)).await;
    let truth = truth(&slack);
    let methods = [
        "auth.test",
        "users.list",
        "users.info",
        "conversations.list",
        "conversations.history",
        "conversations.replies",
    ];
    for fault in [
        Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
        Fault::Status(StatusCode::OK),
        Fault::RateLimited(30),
        Fault::Says("ratelimited"),
        Fault::Says("internal_error"),
    ] {
        for method in methods {
            slack.misbehave(method, 1, fault);
        }
        let run = onboarding(&slack).run().await;
        assert_eq!(run.ending, Ending::Processed, "{fault:?}: {run}");
        assert_eq!(found(&[&run]), truth, "{fault:?}: {run}");
        slack.behave();
    }
}

/// All platforms run in it together.
#[tokio::test]
async fn a_workspace_for_the_demonstration_is_read_by_150_requests_at_the_most() {
    let slack = serve(Workspace::realistic(7, 400)).await;
    let run = onboarding(&slack).members(people(&slack)).run().await;
    assert!((100..=150).contains(&run.requests), "{}", run.requests);
}
