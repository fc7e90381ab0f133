//! Whatever is below an item is read to its end; the forerunner read the first page of each.

use super::*;

/// One pull request, one issue, one discussion, each with more below it than any page holds.
fn crowded() -> World {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let pull = world.open_pull(repository, ada, "Mend it");
    for _ in 0..130 {
        world.comment(pull, ben, "Fine");
    }
    for _ in 0..120 {
        world.commit(pull, Ok(ada), "Mend it");
    }
    for _ in 0..12 {
        let thread = world.start_thread(pull, ben, "Why?");
        for _ in 0..7 {
            world.reply_in_thread(thread, ada, "Because");
        }
    }
    let thread = world.start_thread(pull, ben, "Why not?");
    for _ in 0..230 {
        world.reply_in_thread(thread, ada, "Because");
    }
    for _ in 0..70 {
        world.start_thread(pull, ben, "Nit");
    }
    let issue = world.open_issue(repository, ada, "It rings");
    for _ in 0..250 {
        world.comment(issue, ben, "Mine, too");
    }
    let discussion = world.start_discussion(repository, ada, "Which hammer?");
    for _ in 0..120 {
        world.answer(discussion, ben, "The heavy one");
    }
    let comment = world.answer(discussion, ben, "The light one");
    for _ in 0..230 {
        world.reply(comment, ada, "No");
    }
    world
}

#[tokio::test]
async fn every_child_list_is_read_to_its_end() {
    let github = serve(crowded()).await;
    let run = rehearsal(&github).run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");
    assert_eq!(truth::found(&[&run]), github.look(truth::of));
    for what in [
        "PullComments",
        "PullReviewThreads",
        "PullReviewThreadComments",
        "PullCommits",
        "IssueComments",
        "DiscussionComments",
        "DiscussionReplies",
    ] {
        assert!(asked(&github, what) > 1, "{what} were not paged");
    }
}

#[tokio::test]
async fn more_than_a_hundred_steps_of_one_item_are_not_cut() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let pull = world.open_pull(repository, ada, "Mend it");
    let issue = world.open_issue(repository, ada, "It rings");
    for _ in 0..110 {
        world.review(pull, ben, "Not yet");
        world.step(pull, ben, Step::RequestReview(ada));
        world.step(issue, ben, Step::Close);
    }
    let github = serve(world).await;
    let run = rehearsal(&github).run().await;
    assert_eq!(truth::found(&[&run]), github.look(truth::of));
    assert_eq!((asked(&github, "PullTimelinePage"), asked(&github, "IssueTimeline")), (2, 1));
}

/// The rest of a check goes back as far as its parent: steps since then only.
#[tokio::test]
async fn a_check_of_a_long_life_reads_its_new_steps_only() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let pull = world.open_pull(repository, ada, "Mend it");
    for _ in 0..110 {
        world.review(pull, ben, "Not yet");
    }
    an_hour_later(&mut world);
    world.review(pull, ben, "Still not");
    let github = serve(world).await;
    let onboarding = rehearsal(&github).run().await;
    github.edit(|world| {
        an_hour_later(world);
        world.review(pull, ben, "Now it is fine")
    });
    github.clear_requests();
    let after = check(&github, &onboarding).run().await;
    let [opened, still_not, fine] = kinds(&after)[..] else { panic!("{after}") };
    assert_eq!(opened, "pull_request-opened");
    assert_eq!([still_not, fine], ["pull_request-reviewed"; 2]);
    assert_eq!(asked(&github, "PullTimelinePage"), 0);
}

/// The page of its item was read, and then it was deleted.
#[tokio::test]
async fn an_item_that_is_gone_by_then_has_no_rest() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let issue = world.open_issue(repository, ada, "It rings");
    for _ in 0..30 {
        world.comment(issue, ben, "Mine, too");
    }
    let github = serve(world).await;
    let gone = "Could not resolve to a node with the global id of 'I_1'";
    let fault = Fault::Partial { path: "subject", kind: Some("NOT_FOUND"), message: gone };
    github.misbehave("IssueComments", 1, fault);
    let run = rehearsal(&github).run().await;
    assert_eq!((&run.ending, run.activities().count()), (&Ending::Processed, 21), "{run}");
}

#[tokio::test]
async fn a_child_that_failed_holds_back_the_cursor_of_its_list_alone() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    world.star(repository, ben);
    let issue = world.open_issue(repository, ada, "It rings");
    for _ in 0..30 {
        world.comment(issue, ben, "Mine, too");
    }
    let github = serve(world).await;
    let fault = Fault::Status(sandbox::github::StatusCode::INTERNAL_SERVER_ERROR);
    github.misbehave("IssueComments", 5, fault);
    let onboarding = rehearsal(&github).run().await;
    assert_eq!(onboarding.ending, Ending::Hole { streams: 1 }, "{onboarding}");

    github.clear_requests();
    let after = check(&github, &onboarding).run().await;
    assert_eq!(after.ending, Ending::Processed, "{after}");
    assert_eq!(truth::found(&[&onboarding, &after]), github.look(truth::of));
    assert_eq!((asked(&github, "Issues"), asked(&github, "Stargazers")), (1, 0));
}
