//! What a credential may not see: scopes of a personal token, permissions of an application.

use super::repositories::verified;
use super::*;

/// It was connected, and then no run could read a pull request.
#[tokio::test]
async fn connecting_names_the_scope_that_is_missing_whether_or_not_it_would_be_needed() {
    let Anvil { world, .. } = anvil();
    let github = serve(world).await;
    for (granted, missing) in [
        (
            &["repo", "read:user"][..],
            "one of the following scopes: ['read:org', 'read:discussion']",
        ),
        (&["repo", "read:org"], "one of the following scopes: ['user:email', 'read:user']"),
        (&[], "requires one of the following scopes"),
    ] {
        github.grant(granted);
        for settings in [json!({}), following(&["acme/anvil"])] {
            let refused = verified(&github, settings, &[]).await.expect_err("a refusal");
            assert!(refused.contains(missing), "{granted:?}: {refused}");
        }
    }
    for granted in [&["read:org", "user:email"], &["read:discussion", "read:user"]] {
        github.grant(granted);
        assert_eq!(verified(&github, json!({}), &[]).await, Ok(()));
    }
}

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

#[tokio::test]
async fn connecting_names_a_list_that_is_closed() {
    let Anvil { mut world, repository, .. } = anvil();
    world.close_list(repository, "discussions");
    let github = serve(world).await;
    let refused = verified(&github, json!({}), &[]).await.expect_err("a refusal");
    assert_eq!(
        refused,
        "GitHub shows no repository `acme/anvil`: Resource not accessible by integration (at \
         subject.discussions)"
    );
}
