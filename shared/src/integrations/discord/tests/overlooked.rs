//! Archived threads that a look at them did not see, and that a later one must.

use super::archives::forum;
use super::*;

/// An archived post that nobody has seen, and a look at the archives that fails.
async fn overlooked() -> (Simulated, Id, Id, Rehearsed) {
    let (site, ada, posts) = forum(3).await;
    let run = settled(&site).await;
    site.edit(|community| {
        community.post(posts[1], ada, "Solved.");
        community.archive(posts[1]);
    });
    let broken = Fault::Status(StatusCode::INTERNAL_SERVER_ERROR);
    site.misbehave("/threads/archived/public", 5, broken);
    let failed = check_after(&site, &run, 180).await;
    assert_eq!(failed.ending, Ending::Hole { streams: 1 }, "{failed}");
    (site, ada, posts[1], failed)
}

#[tokio::test]
async fn archives_that_could_not_be_listed_are_listed_by_the_next_check() {
    let (site, _, _, failed) = overlooked().await;
    let check = check_after(&site, &failed, 20).await;
    assert_eq!(check.ending, Ending::Processed, "{check}");
    assert!(found(&[&check]).values().any(|it| it.said == "Solved."), "{check}");
    assert_eq!(asked(&site).len(), 2, "the list, and the thread: {check}");
    let nothing = check_after(&site, &check, 20).await;
    assert_eq!(nothing.requests, 6, "{nothing}");
}

#[tokio::test]
async fn a_thread_that_is_opened_again_before_the_archives_are_listed_loses_nothing() {
    let (site, ada, post, failed) = overlooked().await;
    site.edit(|community| community.post(post, ada, "No, it is not."));
    let check = check_after(&site, &failed, 5).await;
    let said: BTreeSet<_> = found(&[&check]).into_values().map(|it| it.said).collect();
    assert!(said.contains("Solved.") && said.contains("No, it is not."), "{check}");
}

#[tokio::test]
async fn archives_of_a_new_channel_that_could_not_be_listed_are_listed_wholly_by_the_next_check() {
    let Small { site, ada, .. } = Small::start().await;
    let run = settled(&site).await;
    let forum = site.edit(|community| {
        let forum = community.add_channel(Kind::Forum, "help");
        let post = community.start_post(forum, ada, "Help!", "It stopped");
        community.archive(post);
        community.pass(TimeDelta::days(2));
        forum
    });
    let path = format!("/channels/{forum}/threads/archived/public");
    site.misbehave(&path, 5, Fault::Status(StatusCode::BAD_GATEWAY));
    let failed = check_after(&site, &run, 20).await;
    assert_eq!(failed.ending, Ending::Hole { streams: 1 }, "{failed}");
    let check = check_after(&site, &failed, 20).await;
    assert_eq!((&check.ending, found(&[&check]).len()), (&Ending::Processed, 1), "{check}");
}

/// A check, too, may take its time between the two lists; here the bot is invited so late.
#[tokio::test]
async fn a_thread_that_slipped_through_a_check_is_read_by_the_next() {
    let Small { site, ada, general, .. } = Small::start().await;
    let thread = site.edit(|community| community.start_private_thread(general, "Between us"));
    let run = settled(&site).await;
    site.edit(|community| {
        community.pass(TimeDelta::hours(1));
        community.post(thread, ada, "Solved.");
        community.archive(thread);
    });
    let looked = check_after(&site, &run, 180).await;
    site.edit(|community| {
        community.invite_bot(thread);
        community.unarchive(thread);
        community.post(thread, ada, "No, it is not.");
    });
    let check = check_after(&site, &looked, 20).await;
    let said: BTreeSet<_> = found(&[&check]).into_values().map(|it| it.said).collect();
    assert!(said.contains("Solved.") && said.contains("No, it is not."), "{check}");
    let nothing = check_after(&site, &check, 20).await;
    assert_eq!(nothing.requests, 6, "{nothing}");
}
