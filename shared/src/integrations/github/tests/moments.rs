//! What happens while we look, or just before, is read by this check or the next.

use super::*;

/// The overlap: what was listed within ten minutes before the cursor is read again, and no more.
#[tokio::test]
async fn what_lies_before_the_overlap_is_not_read_again() {
    let Anvil { mut world, repository, ada, .. } = anvil();
    world.open_issue(repository, ada, "Long ago");
    world.turn_to(world.now() + chrono::TimeDelta::minutes(11));
    world.open_issue(repository, ada, "Just before");
    world.open_issue(repository, ada, "Just now");
    let github = serve(world).await;
    let onboarding = rehearsal(&github).run().await;
    github.edit(|world| world.open_issue(repository, ada, "New"));
    let after = check(&github, &onboarding).run().await;
    let titles: Vec<_> = after.activities().filter_map(|it| it.title.as_deref()).collect();
    assert_eq!(titles, ["New", "Just now", "Just before"]);
}

/// One that is listed late: nothing is newer than the newest, and yet there is more.
#[tokio::test]
async fn an_item_that_is_listed_late_is_found_by_the_count() {
    let Anvil { mut world, repository, ada, .. } = anvil();
    let late = world.open_issue(repository, ada, "Late");
    world.open_issue(repository, ada, "Early");
    let mut before = world.clone();
    before.delete_item(late);
    let github = serve(before).await;
    let onboarding = rehearsal(&github).run().await;
    github.edit(|now| *now = world);
    let after = check(&github, &onboarding).run().await;
    assert!(after.activities().any(|it| it.title.as_deref() == Some("Late")), "{after}");
}

/// An issue that is updated while we read moves to the top of a list whose top is read already.
#[tokio::test]
async fn what_moves_while_it_is_read_is_found_by_the_next_check() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let oldest = world.open_issue(repository, ada, "Oldest");
    for _ in 0..60 {
        world.open_issue(repository, ada, "Younger");
    }
    let github = serve(world).await;
    github.after("Issues", move |world| {
        world.comment(oldest, ben, "Still there");
    });
    let onboarding = rehearsal(&github).run().await;
    assert_eq!(onboarding.activities().count(), 60, "the oldest was read: {onboarding}");
    let after = check(&github, &onboarding).run().await;
    assert_eq!(truth::found(&[&onboarding, &after]), github.look(truth::of));
}

/// Instants are seconds: the one of the newest item goes on after we looked.
#[tokio::test]
async fn an_update_in_the_second_of_the_newest_is_found_by_the_next_check_and_sought_once() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let old = world.open_issue(repository, ada, "Old");
    an_hour_later(&mut world);
    let newest = world.open_issue(repository, ada, "The newest");
    let began = world.now() + chrono::TimeDelta::seconds(30);
    let github = serve(world).await;
    let at = |minutes| (began + chrono::TimeDelta::minutes(minutes)).to_rfc3339();
    let onboarding = rehearsal(&github).at(&at(0)).run().await;
    github.edit(|world| {
        world.comment(old, ben, "Still there");
        let same = world.node(newest).value("updatedAt").clone();
        world.node_mut(old).set("updatedAt", same);
    });
    let after = check(&github, &onboarding).at(&at(20)).run().await;
    assert_eq!(truth::found(&[&onboarding, &after]), github.look(truth::of), "{after}");
    github.clear_requests();
    check(&github, &after).at(&at(40)).run().await;
    assert_eq!(asked(&github, "Issues"), 0);
}

/// A page is cut where it ended, not by how many were before it.
#[tokio::test]
async fn what_is_added_while_it_is_read_shifts_nothing() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    for number in 0..250 {
        let fan = world.add_user(&format!("fan{number}"));
        world.star(repository, fan);
    }
    let github = serve(world).await;
    github.after("Stargazers", move |world| {
        world.star(repository, ada);
        world.star(repository, ben);
    });
    let onboarding = rehearsal(&github).run().await;
    assert_eq!(onboarding.activities().count(), 250, "{onboarding}");
    let after = check(&github, &onboarding).run().await;
    assert_eq!(truth::found(&[&onboarding, &after]), github.look(truth::of));
}
