//! What a credential may not see.

use super::*;

/// GitHub leaves out the whole repository then.
#[tokio::test]
async fn a_list_that_is_closed_is_a_hole_and_hides_no_other() {
    for names in [json!({}), following(&["acme/anvil", "acme/rockets", "brightloom/anvil"])] {
        let github = serve(World::realistic(7)).await;
        let rockets = github.look(|world| world.repository("acme/rockets").expect("one").id);
        github.edit(|world| world.close_list(rockets, "discussions"));
        let onboarding = rehearsal(&github).settings(names.clone()).run().await;
        assert_eq!(onboarding.ending, Ending::Hole { streams: 1 }, "{onboarding}");
        let reason = "repository `acme/rockets`: Resource not accessible by integration";
        assert!(onboarding.to_string().contains(reason), "{onboarding}");

        github.edit(|world| {
            let ada = world.add_user("newcomer");
            world.star(rockets, ada);
        });
        let second = check(&github, &onboarding).settings(names.clone()).run().await;
        assert_eq!(second.ending, Ending::Hole { streams: 1 }, "{second}");
        assert_eq!(kinds(&second).last(), Some(&"star"), "{second}");

        github.edit(World::reopen_lists);
        let third = check(&github, &second).settings(names).run().await;
        assert_eq!(third.ending, Ending::Processed, "{third}");
        let found = truth::found(&[&onboarding, &second, &third]);
        assert_eq!(found, github.look(truth::of));
    }
}

#[tokio::test]
async fn several_lists_of_several_repositories_may_be_closed() {
    let github = serve(World::realistic(7)).await;
    github.edit(|world| {
        let all: Vec<_> = world.repositories().map(|repository| repository.id).collect();
        for (repository, list) in
            [(0, "discussions"), (0, "stargazers"), (1, "issues"), (2, "discussions")]
        {
            world.close_list(all[repository], list);
        }
    });
    let onboarding = rehearsal(&github).run().await;
    assert_eq!(onboarding.ending, Ending::Hole { streams: 4 }, "{onboarding}");
    github.edit(World::reopen_lists);
    let after = check(&github, &onboarding).run().await;
    assert_eq!(after.ending, Ending::Processed, "{after}");
    assert_eq!(truth::found(&[&onboarding, &after]), github.look(truth::of));
}
