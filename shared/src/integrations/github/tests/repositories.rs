//! Repositories that are chosen, renamed, deleted, closed.

use super::*;
use crate::sdk::{Activity, DynIntegration, RawConnection, Registry};

fn registry(github: &SimulatedGithub) -> Registry {
    Registry::default().with(Github::at(&github.url()).expect("an integration"))
}

fn connection(settings: Value) -> RawConnection {
    RawConnection::new(settings, chrono::Utc::now(), Access::with(personal_token()))
}

pub(super) async fn verified(
    github: &SimulatedGithub,
    settings: Value,
    units: &[&str],
) -> Result<(), String> {
    let registry = registry(github);
    let integration: &dyn DynIntegration = &**registry.find("github").expect("github");
    let units = units.iter().map(|&unit| unit.to_owned()).collect();
    let connection = RawConnection { units, ..connection(settings) };
    integration.verify(connection).await.map_err(|error| format!("{error:#}"))
}

#[tokio::test]
async fn every_repository_that_the_credential_sees_can_be_chosen() {
    let mut world = World::empty();
    for number in 0..230 {
        world.add_repository("Acme", &format!("Part{number}"));
    }
    let github = serve(world).await;
    let registry = registry(&github);
    let integration = registry.find("github").expect("github");
    let units = integration.discover(connection(json!({}))).await.expect("units");
    assert_eq!(units.len(), 230);
    assert_eq!((units[7].id.as_str(), units[7].name.as_str()), ("acme/part7", "Acme/Part7"));
    assert_eq!(units[7].description.as_deref(), Some("The Part7 of Acme"));
    assert!(units.iter().all(|unit| unit.item_count.is_none()));
    assert_eq!(asked(&github, "/user/repos"), 4);

    let settings = following(&["acme/part1", "acme/part2"]);
    let units = integration.discover(connection(settings)).await.expect("units");
    assert_eq!(
        units.iter().map(|unit| unit.id.as_str()).collect::<Vec<_>>(),
        ["acme/part1", "acme/part2"]
    );
}

#[tokio::test]
async fn only_the_chosen_repositories_are_read() {
    let github = serve(World::realistic(7)).await;
    let channels = |run: &Rehearsed| {
        let channels = run.activities().filter(|it| it.platform == "github");
        channels.filter_map(|it| it.channel.clone()).collect::<std::collections::BTreeSet<_>>()
    };
    let chosen = rehearsal(&github).units(&["acme/rockets"]).run().await;
    assert_eq!(channels(&chosen), ["https://github.com/acme/rockets".to_owned()].into());

    let names = following(&["acme/anvil", "brightloom/anvil"]);
    let both = rehearsal(&github).settings(names).units(&["Brightloom/Anvil"]).run().await;
    assert_eq!(channels(&both), ["https://github.com/brightloom/anvil".to_owned()].into());
}

/// They were passed over, and a run of nothing was processed.
#[tokio::test]
async fn a_unit_outside_the_settings_is_refused_at_connecting_and_a_hole_in_a_run() {
    let github = serve(World::realistic(7)).await;
    let (settings, units) = (following(&["acme/anvil"]), ["acme/anvil", "acme/rockets"]);
    let outside = "the unit `acme/rockets` is none of the repositories in the settings";
    let refused = verified(&github, settings.clone(), &units).await;
    assert_eq!(refused, Err(outside.to_owned()));
    assert_eq!(verified(&github, json!({}), &units).await, Ok(()));

    let everything = rehearsal(&github).units(&units).run().await;
    assert_eq!(everything.ending, Ending::Processed, "{everything}");
    let onboarding = rehearsal(&github).settings(settings.clone()).units(&units).run().await;
    let after = check(&github, &everything).settings(settings).units(&units).run().await;
    for run in [onboarding, after] {
        assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
        assert!(run.to_string().contains(outside), "{run}");
        let channel =
            |it: &Activity| it.channel.as_deref().is_some_and(|it| it.ends_with("rockets"));
        assert!(!run.activities().any(channel), "{run}");
    }
}

/// One after the other they took longer than anybody waits.
#[tokio::test]
async fn many_names_are_looked_for_together_and_the_first_hundred_of_them() {
    let mut world = World::empty();
    let names: Vec<_> = (0..120).map(|number| format!("acme/part{number:03}")).collect();
    for name in &names[..110] {
        world.add_repository("acme", name.split_once('/').expect("a whole name").1);
    }
    let github = serve(world).await;
    let all: Vec<_> = names.iter().map(String::as_str).collect();
    github.set_latency(std::time::Duration::from_millis(50));
    let began = std::time::Instant::now();
    assert_eq!(verified(&github, following(&all), &[]).await, Ok(()));
    assert_eq!((asked(&github, "Repository"), asked(&github, "Pulls")), (101, 1));
    assert!(began.elapsed() < std::time::Duration::from_secs(4), "{:?}", began.elapsed());
    let refused = verified(&github, following(&all[50..]), &[]).await.expect_err("a refusal");
    assert!(refused.starts_with("GitHub shows no repository `acme/part11"), "{refused}");
}

#[tokio::test]
async fn verifying_names_what_github_does_not_show() {
    let github = serve(World::realistic(7)).await;
    assert_eq!(verified(&github, json!({}), &[]).await, Ok(()));
    assert_eq!(verified(&github, following(&["acme/anvil"]), &[]).await, Ok(()));
    let refused = verified(&github, following(&["acme/anvil", "acme/wings"]), &[]).await;
    assert_eq!(
        refused,
        Err("GitHub shows no repository `acme/wings`: Could not resolve to a Repository with the \
             name 'acme/wings'. (at subject)"
            .to_owned())
    );
    let empty = serve(World::empty()).await;
    let refused = verified(&empty, json!({}), &[]).await;
    assert_eq!(refused, Err("the credential sees no repository".to_owned()));
}

#[tokio::test]
async fn a_renamed_repository_goes_on_where_it_was() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    for _ in 0..60 {
        world.open_issue(repository, ada, "Old");
    }
    an_hour_later(&mut world);
    world.open_issue(repository, ada, "The newest");
    let github = serve(world).await;
    let names = following(&["acme/anvil"]);
    let onboarding = rehearsal(&github).settings(names.clone()).run().await;
    github.edit(|world| {
        world.rename_repository(repository, "acme", "anvil-classic");
        an_hour_later(world);
        world.open_issue(repository, ben, "New")
    });
    github.clear_requests();
    let after = check(&github, &onboarding).settings(names.clone()).run().await;
    assert_eq!((&after.ending, after.activities().count()), (&Ending::Processed, 2), "{after}");
    assert_eq!(all_asked(&github), ["Peek", "Issues"]);
    let channel = after.activities().next().and_then(|it| it.channel.as_deref());
    assert_eq!(channel, Some("https://github.com/acme/anvil-classic"));
    // An onboarding finds it by its old name.
    let again = rehearsal(&github).settings(names).run().await;
    assert_eq!(again.activities().count(), 62);
}

#[tokio::test]
async fn a_repository_that_is_gone_is_named_and_its_siblings_are_read() {
    for change in [World::delete_repository, World::close_repository] {
        let github = serve(World::realistic(7)).await;
        let names = following(&["acme/anvil", "acme/rockets"]);
        let onboarding = rehearsal(&github).settings(names.clone()).run().await;
        github.edit(|world| {
            let [anvil, rockets] = ["acme/anvil", "acme/rockets"]
                .map(|name| world.repository(name).expect("a repository").id);
            change(world, anvil);
            let ada = world.add_user("newcomer");
            world.star(rockets, ada);
        });
        let after = check(&github, &onboarding).settings(names).run().await;
        assert_eq!(after.ending, Ending::Hole { streams: 1 }, "{after}");
        assert!(after.to_string().contains("GitHub shows no repository `acme/anvil`"), "{after}");
        let stars = after.activities().filter(|it| it.member.identity.username == "newcomer");
        assert_eq!(stars.count(), 1);
    }
}

#[tokio::test]
async fn a_repository_that_comes_back_is_read_from_where_it_was() {
    let Anvil { mut world, repository, ada, .. } = anvil();
    for _ in 0..60 {
        world.open_issue(repository, ada, "Old");
    }
    an_hour_later(&mut world);
    world.open_issue(repository, ada, "The newest");
    let github = serve(world).await;
    let names = following(&["acme/anvil"]);
    let onboarding = rehearsal(&github).settings(names.clone()).run().await;
    github.edit(|world| world.close_repository(repository));
    let closed = check(&github, &onboarding).settings(names.clone()).run().await;
    assert_eq!(closed.ending, Ending::Hole { streams: 1 }, "{closed}");
    github.edit(|world| {
        world.reopen_repository(repository);
        an_hour_later(world);
        world.open_issue(repository, ada, "New")
    });
    let after = check(&github, &closed).settings(names).run().await;
    assert_eq!((&after.ending, after.activities().count()), (&Ending::Processed, 2), "{after}");
}

#[tokio::test]
async fn another_repository_under_an_old_name_is_read_wholly() {
    let Anvil { mut world, repository, ada, .. } = anvil();
    world.open_issue(repository, ada, "Old");
    let github = serve(world).await;
    let names = following(&["acme/anvil"]);
    let onboarding = rehearsal(&github).settings(names.clone()).run().await;
    github.edit(|world| {
        world.delete_repository(repository);
        let another = world.add_repository("acme", "anvil");
        for _ in 0..3 {
            world.open_issue(another, ada, "New");
        }
    });
    let after = check(&github, &onboarding).settings(names.clone()).run().await;
    assert_eq!((&after.ending, after.activities().count()), (&Ending::Processed, 3), "{after}");
    github.clear_requests();
    check(&github, &after).settings(names).run().await;
    assert_eq!(all_asked(&github), ["Peek"]);
}

/// All that the credential sees: one that is not there any more is not listed, and no error.
#[tokio::test]
async fn a_repository_that_is_not_listed_any_more_is_no_error() {
    let github = serve(World::realistic(7)).await;
    let onboarding = rehearsal(&github).run().await;
    github.edit(|world| {
        let rockets = world.repository("acme/rockets").expect("a repository").id;
        world.delete_repository(rockets);
    });
    let after = check(&github, &onboarding).run().await;
    assert_eq!((&after.ending, after.operations.len()), (&Ending::Processed, 0), "{after}");
}
