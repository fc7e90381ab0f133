//! A check reads all that is new, and not one page more.

use std::collections::BTreeSet;

use super::*;

#[tokio::test]
async fn a_check_with_nothing_new_costs_a_glance() {
    let github = serve(World::realistic(7)).await;
    let onboarding = rehearsal(&github).run().await;

    github.clear_requests();
    let all = check(&github, &onboarding).run().await;
    assert_eq!(
        (&all.ending, all.operations.len(), all.requests),
        (&Ending::Processed, 0, 3),
        "{all}"
    );
    assert_eq!(all_asked(&github), ["/user/repos", "Peek", "/user/repos"]);
    assert_eq!(github.points(), 1);
    assert_eq!(all.state, onboarding.state);
}

#[tokio::test]
async fn a_check_of_named_repositories_with_nothing_new_is_one_request() {
    let names = following(&["acme/anvil", "acme/rockets", "brightloom/anvil"]);
    let github = serve(World::realistic(7)).await;
    let onboarding = rehearsal(&github).settings(names.clone()).run().await;
    github.clear_requests();
    let nothing = check(&github, &onboarding).settings(names).run().await;
    assert_eq!((&nothing.ending, nothing.operations.len()), (&Ending::Processed, 0), "{nothing}");
    assert_eq!(all_asked(&github), ["Peek"]);
}

#[tokio::test]
async fn forty_repositories_are_glanced_at_together() {
    let mut world = World::empty();
    let ada = world.add_user("ada");
    for number in 0..95 {
        let repository = world.add_repository("acme", &format!("part{number}"));
        world.star(repository, ada);
    }
    let github = serve(world).await;
    let onboarding = rehearsal(&github).run().await;
    assert_eq!(onboarding.activities().count(), 95);
    github.clear_requests();
    check(&github, &onboarding).run().await;
    assert_eq!((asked(&github, "Peek"), github.request_count(), github.points()), (3, 5, 5));
}

/// Everything that people can do, and far more of it than a page holds.
#[tokio::test]
async fn many_new_things_leave_no_gap() {
    let github = serve(World::realistic(7)).await;
    let onboarding = rehearsal(&github).run().await;
    github.edit(|world| {
        let repository = world.repository("acme/rockets").expect("a repository").id;
        let people: Vec<_> =
            (0..130).map(|number| world.add_user(&format!("newcomer{number}"))).collect();
        for &person in &people {
            world.star(repository, person);
            world.fork(repository, person);
            let issue = world.open_issue(repository, person, "Again");
            world.comment(issue, people[0], "Yes");
            let pull = world.open_pull(repository, person, "Mend it");
            world.review(pull, people[1], "Fine");
            let discussion = world.start_discussion(repository, person, "Why?");
            world.answer(discussion, people[2], "Because");
        }
    });
    let after = check(&github, &onboarding).run().await;
    assert_eq!(after.ending, Ending::Processed, "{after}");
    assert_eq!(truth::found(&[&onboarding, &after]), github.look(truth::of));
}

#[tokio::test]
async fn a_check_stops_at_the_page_that_reaches_what_is_known() {
    let Anvil { mut world, repository, ada, .. } = anvil();
    for number in 0..120 {
        world.open_pull(repository, ada, &format!("Part {number}"));
    }
    an_hour_later(&mut world);
    world.open_pull(repository, ada, "The newest");
    let github = serve(world).await;
    let onboarding = rehearsal(&github).run().await;
    assert_eq!(asked(&github, "Pulls"), 5);

    github.edit(|world| {
        an_hour_later(world);
        for _ in 0..30 {
            world.open_pull(repository, ada, "New");
        }
    });
    github.clear_requests();
    let after = check(&github, &onboarding).run().await;
    assert_eq!(asked(&github, "Pulls"), 2, "{after}");
    assert_eq!(after.activities().count(), 31);
}

#[tokio::test]
async fn an_edited_comment_is_read_again_under_its_id() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let issue = world.open_issue(repository, ada, "It rings");
    let comment = world.comment(issue, ben, "Mine two");
    let github = serve(world).await;
    let onboarding = rehearsal(&github).run().await;
    github.edit(|world| world.edit_comment(comment, "Mine, too"));
    let after = check(&github, &onboarding).run().await;
    assert_eq!(truth::found(&[&onboarding, &after]), github.look(truth::of));
    let bodies: BTreeSet<_> = after.activities().filter_map(|it| it.body.as_deref()).collect();
    assert!(bodies.contains("Mine, too"), "{bodies:?}");
}

#[tokio::test]
async fn a_comment_on_an_old_item_of_hundreds_costs_no_page_of_the_others() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let issue = world.open_issue(repository, ada, "It rings");
    for _ in 0..450 {
        world.comment(issue, ben, "Mine, too");
    }
    an_hour_later(&mut world);
    world.comment(issue, ben, "Anybody?");
    let github = serve(world).await;
    let onboarding = rehearsal(&github).run().await;
    assert_eq!(asked(&github, "IssueComments"), 5);

    github.edit(|world| {
        an_hour_later(world);
        world.comment(issue, ada, "Closing this")
    });
    github.clear_requests();
    let after = check(&github, &onboarding).run().await;
    assert_eq!(asked(&github, "IssueComments"), 0, "{after}");
    assert!(after.activities().any(|it| it.body.as_deref() == Some("Closing this")));
}

#[tokio::test]
async fn many_new_comments_on_one_item_are_all_read() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let pull = world.open_pull(repository, ada, "Mend it");
    let issue = world.open_issue(repository, ada, "It rings");
    for _ in 0..150 {
        world.comment(issue, ben, "Old");
    }
    an_hour_later(&mut world);
    world.comment(issue, ben, "Anybody?");
    let github = serve(world).await;
    let onboarding = rehearsal(&github).run().await;
    github.edit(|world| {
        an_hour_later(world);
        for item in [pull, issue] {
            for _ in 0..130 {
                world.comment(item, ben, "New");
            }
        }
    });
    github.clear_requests();
    let after = check(&github, &onboarding).run().await;
    assert_eq!(truth::found(&[&onboarding, &after]), github.look(truth::of));
    // Twenty come along, a hundred on a page: with the second page of the issue's, the old begin.
    assert_eq!((asked(&github, "PullComments"), asked(&github, "IssueComments")), (2, 2));
}

#[tokio::test]
async fn a_new_repository_is_read_wholly_even_by_a_check() {
    let github = serve(World::realistic(7)).await;
    let onboarding = rehearsal(&github).run().await;
    github.edit(|world| {
        let ada = world.add_user("newcomer");
        let repository = world.add_repository("acme", "wings");
        for _ in 0..120 {
            world.open_issue(repository, ada, "How?");
        }
    });
    let after = check(&github, &onboarding).run().await;
    assert_eq!(truth::found(&[&onboarding, &after]), github.look(truth::of));
}

/// Documented: a poll does not see what was taken away.
#[tokio::test]
async fn a_star_that_was_taken_away_stays_and_asks_for_nothing() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let star = world.star(repository, ada);
    world.star(repository, ben);
    let github = serve(world).await;
    let onboarding = rehearsal(&github).run().await;
    assert_eq!(kinds(&onboarding), ["star", "star"]);
    github.edit(|world| world.unstar(repository, star));
    github.clear_requests();
    let after = check(&github, &onboarding).run().await;
    assert_eq!((after.operations.len(), asked(&github, "Stargazers")), (0, 0), "{after}");
}

/// It is new here, and older than what is known.
#[tokio::test]
async fn an_issue_that_came_from_another_repository_is_read_with_its_past() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let elsewhere = world.add_repository("acme", "rockets");
    let issue = world.open_issue(elsewhere, ada, "It rings");
    for _ in 0..130 {
        world.comment(issue, ben, "Mine, too");
    }
    world.step(issue, ben, Step::Close);
    an_hour_later(&mut world);
    world.open_issue(repository, ada, "The newest");
    let github = serve(world).await;
    let settings = following(&["acme/anvil"]);
    let onboarding = rehearsal(&github).settings(settings.clone()).run().await;
    github.edit(|world| {
        an_hour_later(world);
        world.transfer_issue(issue, repository);
    });
    let after = check(&github, &onboarding).settings(settings).run().await;
    assert_eq!(truth::found(&[&onboarding, &after]), github.look(truth::of));
}
