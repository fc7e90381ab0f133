//! What fails is a hole, and the next check begins with it.

use super::*;

#[tokio::test]
async fn no_single_fault_loses_a_message() {
    let site = serve(Community::realistic(3, 12, 300)).await;
    let (truth, joined) = (site.look(truth), site.look(true_joins));
    let faults = [
        Fault::Status(StatusCode::SERVICE_UNAVAILABLE),
        Fault::Status(StatusCode::BAD_GATEWAY),
        Fault::RateLimited { seconds: 30, global: false },
        Fault::RateLimited { seconds: 1, global: true },
        Fault::TruncatedJson,
        Fault::WrongJson,
        Fault::RepeatedPage,
    ];
    for fault in faults {
        for what in ["/users/@me", "/members", "/channels/", "/messages", "/archived/", "before="] {
            site.misbehave(what, 1, fault);
        }
        let run = rehearsal(&site).run().await;
        assert_eq!(run.ending, Ending::Processed, "{fault:?}: {run}");
        assert_eq!(found(&[&run]), truth, "{fault:?}: {run}");
        assert_eq!(joins(&[&run]), joined, "{fault:?}: {run}");
        site.behave();
    }
}

/// A hundred and fifty messages in one channel, of which the second page fails.
#[tokio::test]
async fn a_page_that_failed_is_read_by_the_next_check_and_no_page_besides() {
    let Small { site, ada, general, .. } = Small::start().await;
    site.edit(|community| {
        for number in 0..250 {
            community.post(general, ada, &format!("{number}"));
        }
    });
    site.misbehave("before=", 5, Fault::Status(StatusCode::INTERNAL_SERVER_ERROR));
    let run = rehearsal(&site).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    assert_eq!(found(&[&run]).len(), 100);

    let check = check_after(&site, &run, 20).await;
    assert_eq!(check.ending, Ending::Processed, "{check}");
    assert_eq!(found(&[&run, &check]), site.look(truth));
    let pages = asked(&site).into_iter().filter(|path| path.ends_with("/messages")).count();
    assert_eq!(pages, 2, "{check}");
    assert_eq!(check.state.as_ref().expect("a state")["holes"], json!([]));
}

#[tokio::test]
async fn a_hole_stays_one_until_it_is_read() {
    let Small { site, ada, general, .. } = Small::start().await;
    let path = format!("/channels/{general}/messages");
    let broken = Fault::Status(StatusCode::INTERNAL_SERVER_ERROR);
    site.misbehave(&path, 10, broken);
    let run = rehearsal(&site).run().await;
    let again = check_after(&site, &run, 20).await;
    assert_eq!(again.ending, Ending::Hole { streams: 1 }, "{again}");
    site.edit(|community| community.post(general, ada, "Meanwhile"));
    let check = check_after(&site, &again, 20).await;
    assert_eq!((&check.ending, found(&[&check])), (&Ending::Processed, site.look(truth)));
}

#[tokio::test]
async fn new_messages_that_could_not_be_read_are_read_by_the_next_check() {
    let Small { site, ada, general, .. } = Small::start().await;
    let run = settled(&site).await;
    site.edit(|community| {
        for number in 0..250 {
            community.post(general, ada, &format!("{number}"));
        }
    });
    site.misbehave("/messages", 5, Fault::Status(StatusCode::INTERNAL_SERVER_ERROR));
    let failed = check_after(&site, &run, 20).await;
    assert_eq!(failed.ending, Ending::Hole { streams: 1 }, "{failed}");
    let check = check_after(&site, &failed, 20).await;
    assert_eq!(check.ending, Ending::Processed, "{check}");
    assert_eq!(found(&[&check]), site.look(truth));
    let nothing = check_after(&site, &check, 20).await;
    assert_eq!(nothing.requests, 6, "{nothing}");
}

#[tokio::test]
async fn a_guild_that_could_not_be_looked_over_leaves_the_state_as_it_was() {
    let Small { site, ada, general, .. } = Small::start().await;
    let run = settled(&site).await;
    site.edit(|community| community.post(general, ada, "new"));
    site.misbehave("/threads/active", 5, Fault::Status(StatusCode::BAD_GATEWAY));
    let failed = check_after(&site, &run, 20).await;
    assert_eq!(failed.ending, Ending::Hole { streams: 1 }, "{failed}");
    let (before, after) = (run.state.expect("a state"), failed.state.clone().expect("a state"));
    assert_eq!((&before["channels"], &before["holes"]), (&after["channels"], &after["holes"]));
    let again = rehearsal(&site).check().state(failed.state).run().await;
    assert!(found(&[&again]).values().any(|it| it.said == "new"), "{again}");
}

/// Or each check would add its own, and ask for all of them.
#[tokio::test]
async fn a_place_that_fails_for_days_is_one_hole_and_is_read_without_a_gap() {
    let Small { site, ada, general, .. } = Small::start().await;
    let mut run = settled(&site).await;
    let path = format!("/channels/{general}/messages");
    site.misbehave(&path, ALWAYS, Fault::Status(StatusCode::FORBIDDEN));
    for hour in 0..5 {
        site.edit(|community| community.post(general, ada, &format!("in hour {hour}")));
        run = check_after(&site, &run, 60).await;
        assert!(matches!(run.ending, Ending::Hole { .. }), "{run}");
        let holes = run.state.as_ref().expect("a state")["holes"].as_array().expect("holes").len();
        assert_eq!(holes, 1, "{run}");
        let messages = asked(&site).into_iter().filter(|path| path.ends_with("/messages"));
        assert!(messages.count() <= 2, "{run}");
    }
    site.behave();
    let check = check_after(&site, &run, 60).await;
    assert_eq!(check.ending, Ending::Processed, "{check}");
    let new: Vec<_> =
        site.look(truth).into_values().filter(|it| it.said.starts_with("in")).collect();
    let found = found(&[&check]);
    assert_eq!(
        (new.len(), new.iter().all(|it| found.values().any(|found| found == it))),
        (5, true)
    );
    assert_eq!(check.state.as_ref().expect("a state")["holes"], json!([]));
}

/// In spite of the permissions: perhaps they changed this very moment.
#[tokio::test]
async fn a_refusal_by_one_channel_ends_its_stream_alone() {
    let Small { site, ada, general, .. } = Small::start().await;
    site.edit(|community| {
        let other = community.add_channel(Kind::Text, "other");
        community.post(other, ada, "Over here");
    });
    let path = format!("/channels/{general}/messages");
    site.misbehave(&path, 1, Fault::Status(StatusCode::FORBIDDEN));
    let run = rehearsal(&site).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    assert!(run.to_string().contains("answered 403 Forbidden: Missing Access (50001)"), "{run}");
    assert_eq!(found(&[&run]).len(), 1);
    let check = check_after(&site, &run, 20).await;
    assert_eq!(check.ending, Ending::Processed, "{check}");
    assert_eq!(found(&[&run, &check]), site.look(truth));
}

#[tokio::test]
async fn messages_that_repeat_for_ever_end_as_a_hole_with_their_first_page_read() {
    let Small { site, ada, general, .. } = Small::start().await;
    site.edit(|community| {
        for number in 0..250 {
            community.post(general, ada, &format!("{number}"));
        }
    });
    site.misbehave("/messages", ALWAYS, Fault::RepeatedPage);
    let run = rehearsal(&site).run().await;
    assert_eq!((&run.ending, found(&[&run]).len()), (&Ending::Hole { streams: 1 }, 100), "{run}");
    assert!(run.to_string().contains("repeats another"), "{run}");
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let Small { site, general, .. } = Small::start().await;
    let run = settled(&site).await;
    let channel = json!({"id": general.to_string(), "name": "general"});
    let late = [
        json!({"stream": "messages", "place": {"channel": channel}, "part": {"before": "9"},
            "newest": "9", "page": MOST_PAGES + 1}),
        json!({"stream": "threads", "channel": channel, "archive": "public", "since": null,
            "page": MOST_PAGES + 1}),
    ];
    let mut state = run.state.expect("a state");
    state["holes"] = json!(late);
    let check = rehearsal(&site).check().state(state).run().await;
    assert_eq!(check.ending, Ending::Hole { streams: 2 }, "{check}");
    let lines = check.to_string().lines().filter(|it| it.contains("go on after page")).count();
    assert_eq!(lines, 2, "{check}");
}
