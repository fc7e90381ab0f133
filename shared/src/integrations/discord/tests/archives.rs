//! Archived threads, channels that close and open, and what changes while nobody looks.

use super::*;

/// A forum whose posts are all archived.
pub(super) async fn forum(posts: usize) -> (Simulated, Id, Vec<Id>) {
    let mut community = Community::empty();
    let ada = community.add_user("ada");
    let forum = community.add_channel(Kind::Forum, "help");
    let posts: Vec<_> = (0..posts)
        .map(|number| {
            let post = community.start_post(forum, ada, "Help!", &format!("It stopped {number}"));
            community.archive(post);
            post
        })
        .collect();
    (serve(community).await, ada, posts)
}

/// The forerunner read active threads only.
#[tokio::test]
async fn archived_forum_posts_are_read_over_all_pages_of_their_list() {
    let (site, _, posts) = forum(230).await;
    let run = rehearsal(&site).run().await;
    assert_eq!(found(&[&run]).len(), posts.len());
    let lists = asked(&site).into_iter().filter(|path| path.ends_with("/public")).count();
    assert_eq!(lists, 3);
}

#[tokio::test]
async fn threads_archived_in_one_instant_are_not_lost_between_two_pages() {
    let (site, _, posts) = forum(150).await;
    site.edit(|community| {
        let at = community.now();
        for post in &posts[20..] {
            community.channel_mut(*post).thread.as_mut().expect("a thread").turned_at = at;
        }
        // Ten of these end the first page, and fifty more are on the second.
        for post in &posts[..60] {
            let thread = community.channel_mut(*post).thread.as_mut().expect("a thread");
            thread.turned_at = at - TimeDelta::days(1);
        }
    });
    let run = rehearsal(&site).run().await;
    assert_eq!((&run.ending, found(&[&run]).len()), (&Ending::Processed, 150), "{run}");
}

#[tokio::test]
async fn a_list_of_threads_that_repeats_ends_as_a_hole() {
    let (site, _, _) = forum(230).await;
    site.misbehave("/threads/archived/public", ALWAYS, Fault::RepeatedPage);
    let run = rehearsal(&site).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 });
    assert!(run.to_string().contains("repeats another"), "{run}");
}

#[tokio::test]
async fn a_thread_archived_by_hand_before_any_check_saw_it_is_found_within_three_hours() {
    let (site, ada, posts) = forum(3).await;
    let mut run = settled(&site).await;
    site.edit(|community| {
        community.post(posts[1], ada, "Solved.");
        community.archive(posts[1]);
    });
    for _ in 0..8 {
        run = check_after(&site, &run, 20).await;
        assert_eq!((run.requests, run.operations.len()), (6, 0), "{run}");
    }
    let sweep = check_after(&site, &run, 20).await;
    assert!(found(&[&sweep]).values().any(|it| it.said == "Solved."), "{sweep}");
    assert_eq!(asked(&site).len(), 2, "the list, and the thread: {sweep}");
    let nothing = check_after(&site, &sweep, 20).await;
    assert_eq!(nothing.requests, 6, "{nothing}");
}

#[tokio::test]
async fn a_look_at_the_archives_stops_where_the_one_before_began() {
    let (site, _, _) = forum(230).await;
    site.edit(|community| community.pass(TimeDelta::hours(1)));
    let run = settled(&site).await;
    assert_eq!(asked(&site).len(), 1, "{run}");
    let sweep = check_after(&site, &run, 180).await;
    assert_eq!((asked(&site).len(), sweep.operations.len()), (1, 0), "{sweep}");
}

#[tokio::test]
async fn a_thread_archived_unseen_and_opened_again_loses_nothing() {
    let (site, ada, posts) = forum(3).await;
    let run = settled(&site).await;
    site.edit(|community| {
        community.post(posts[1], ada, "Solved.");
        community.archive(posts[1]);
    });
    let run = check_after(&site, &run, 20).await;
    let run = check_after(&site, &run, 20).await;
    site.edit(|community| community.post(posts[1], ada, "No, it is not."));
    let check = check_after(&site, &run, 5).await;
    let said: BTreeSet<_> = found(&[&check]).into_values().map(|it| it.said).collect();
    assert!(said.contains("Solved.") && said.contains("No, it is not."), "{check}");
}

#[tokio::test]
async fn a_thread_that_merely_goes_to_sleep_is_not_read_again() {
    let (site, ada, posts) = forum(3).await;
    let run = settled(&site).await;
    site.edit(|community| community.post(posts[1], ada, "And now?"));
    let run = check_after(&site, &run, 5).await;
    assert_eq!(asked(&site).len(), 1, "{run}");
    site.edit(|community| community.archive(posts[1]));
    let sweep = check_after(&site, &run, 180).await;
    let asked = asked(&site);
    assert_eq!(asked.len(), 1, "{sweep}");
    assert!(asked[0].ends_with("/threads/archived/public"));
}

/// An onboarding may take days. A thread that was archived when the active ones were listed, and
/// active when the archived ones were, is in neither list; here since the bot is invited so late.
#[tokio::test]
async fn a_thread_that_slipped_through_an_onboarding_is_read_wholly_by_the_first_check() {
    let Small { site, ada, general, .. } = Small::start().await;
    let thread = site.edit(|community| {
        let thread = community.start_private_thread(general, "Between us");
        community.post(thread, ada, "Long ago");
        community.archive(thread);
        community.pass(TimeDelta::days(30));
        thread
    });
    let run = rehearsal(&site).run().await;
    site.edit(|community| {
        community.pass(TimeDelta::days(2));
        community.invite_bot(thread);
        community.unarchive(thread);
    });
    let check = check_after(&site, &run, 20).await;
    assert_eq!(found(&[&run, &check]), site.look(truth));
    let nothing = check_after(&site, &check, 20).await;
    assert_eq!(nothing.requests, 6, "{nothing}");
}

#[tokio::test]
async fn a_private_channel_is_not_asked_no_error_and_read_wholly_once_it_opens() {
    let Small { site, ada, general, .. } = Small::start().await;
    site.edit(|community| community.hide(general));
    let run = rehearsal(&site).run().await;
    assert_eq!((&run.ending, asked(&site).len()), (&Ending::Processed, 0), "{run}");
    assert_eq!(run.state.as_ref().expect("a state")["closed"], json!([general.to_string()]));

    site.edit(|community| {
        community.post(general, ada, "Behind closed doors");
        community.show(general);
    });
    let check = check_after(&site, &run, 20).await;
    assert_eq!(found(&[&check]), site.look(truth));
}

/// Such a channel answers with an empty list.
#[tokio::test]
async fn a_channel_whose_history_is_closed_is_not_taken_for_an_empty_one() {
    let Small { site, general, .. } = Small::start().await;
    site.edit(|community| community.hide_history(general));
    let run = rehearsal(&site).run().await;
    assert_eq!((&run.ending, found(&[&run]).len()), (&Ending::Processed, 0), "{run}");
    site.edit(|community| community.show(general));
    let check = check_after(&site, &run, 20).await;
    assert_eq!(found(&[&check]), site.look(truth));
}

#[tokio::test]
async fn a_channel_that_was_closed_for_a_while_is_read_on_from_where_it_was() {
    let Small { site, ada, general, .. } = Small::start().await;
    let thread = site.edit(|community| {
        for number in 0..150 {
            community.post(general, ada, &format!("{number}"));
        }
        community.pass(TimeDelta::hours(1));
        let begun = community.post(general, ada, "To a thread");
        community.start_thread(begun, "In depth")
    });
    let run = settled(&site).await;
    site.edit(|community| {
        community.hide(general);
        community.post(general, ada, "Can you hear me?");
        community.post(thread, ada, "Or here?");
        community.pass(TimeDelta::hours(5));
    });
    let closed = check_after(&site, &run, 20).await;
    assert_eq!((&closed.ending, closed.requests), (&Ending::Processed, 6), "{closed}");
    site.edit(|community| community.show(general));
    let check = check_after(&site, &closed, 20).await;
    let said: BTreeSet<_> = found(&[&check]).into_values().map(|it| it.said).collect();
    assert!(said.contains("Can you hear me?") && said.contains("Or here?"), "{check}");
    let messages = asked(&site).into_iter().filter(|path| path.ends_with("/messages")).count();
    assert_eq!(messages, 2, "one page of each: {check}");
}

#[tokio::test]
async fn a_channel_that_was_not_chosen_for_a_while_is_read_on_from_where_it_was() {
    let Small { site, ada, general, .. } = Small::start().await;
    let (other, thread) = site.edit(|community| {
        let other = community.add_channel(Kind::Text, "other");
        let begun = community.post(general, ada, "To a thread");
        (other, community.start_thread(begun, "In depth"))
    });
    let run = settled(&site).await;
    site.edit(|community| {
        community.post(general, ada, "Can you hear me?");
        community.post(thread, ada, "Or here?");
        community.pass(TimeDelta::hours(5));
    });
    let check = rehearsal(&site).check().state(run.state).units(&[&other.to_string()]).run().await;
    assert_eq!(check.operations.len(), 0, "{check}");
    let check = check_after(&site, &check, 20).await;
    let said: BTreeSet<_> = found(&[&check]).into_values().map(|it| it.said).collect();
    assert!(said.contains("Can you hear me?") && said.contains("Or here?"), "{check}");
}

/// A probe that met a limit dropped the channel; there are no probes.
#[tokio::test]
async fn a_429_on_a_channel_drops_neither_it_nor_its_first_page() {
    let Small { site, general, .. } = Small::start().await;
    let path = format!("/channels/{general}/messages");
    site.misbehave(&path, 2, Fault::RateLimited { seconds: 3, global: false });
    let run = rehearsal(&site).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
    assert_eq!(found(&[&run]), site.look(truth));
}
