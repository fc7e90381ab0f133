//! An onboarding reads everything, once.

use super::*;

#[tokio::test]
async fn an_onboarding_finds_exactly_what_happened() {
    let github = serve(World::realistic(7)).await;
    let run = rehearsal(&github).run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");
    let truth = github.look(truth::of);
    assert!(truth.len() > 700, "{}", truth.len());
    assert_eq!(truth::found(&[&run]), truth);
    assert_eq!(run.activities().count(), truth.len(), "an activity was told twice");
}

/// What was measured for the documentation: a thousand records cost some fifty requests and ninety
/// points, those about people and companies included.
#[tokio::test]
async fn an_onboarding_costs_what_is_said_of_it() {
    let github = serve(World::realistic(7)).await;
    let run = rehearsal(&github).run().await;
    let records = run.activities().count() as u64;
    let (requests, points) = (run.requests * 1000 / records, github.points() * 1000 / records);
    assert!((30..60).contains(&requests), "{requests} requests for a thousand records");
    assert!((60..110).contains(&points), "{points} points for a thousand records");
}

#[tokio::test]
async fn several_thousand_pull_requests_are_within_an_hours_points() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    for number in 0..200 {
        let pull = world.open_pull(repository, ada, &format!("Mend it, part {number}"));
        world.comment(pull, ben, "Fine");
        world.review(pull, ben, "");
        world.step(pull, ben, Step::Merge);
    }
    let github = serve(world).await;
    let run = rehearsal(&github).run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");
    let a_thousand = github.points() * 5;
    assert!(a_thousand < 400, "a thousand pull requests cost {a_thousand} points");
}

#[tokio::test]
async fn resuming_costs_the_page_that_was_lost_and_nothing_else() {
    let github = serve(World::realistic(5)).await;
    let whole = rehearsal(&github).run().await;
    let resumed = rehearsal(&github).dying_over_every_page().run().await;
    assert_eq!(resumed.requests, 2 * whole.requests);
    assert_eq!((truth::found(&[&resumed]), resumed.state), (github.look(truth::of), whole.state));
}

#[tokio::test]
async fn onboarding_again_reads_everything_again() {
    let github = serve(World::realistic(5)).await;
    let first = rehearsal(&github).run().await;
    let again = rehearsal(&github).state(first.state.clone()).run().await;
    assert_eq!(again.requests, first.requests);
    assert_eq!(truth::found(&[&again]), github.look(truth::of));
}

#[tokio::test]
async fn the_run_goes_from_a_glance_to_lists_to_people() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    world.star(repository, ada);
    let issue = world.open_issue(repository, ada, "It rings");
    world.comment(issue, ben, "Mine, too");
    let github = serve(world).await;
    let run = rehearsal(&github).settings(following(&["Acme/Anvil"])).run().await;
    assert_snapshot!(run, @r#"
    the run -> 1 stream
    {"name":"acme/anvil","stream":"repository"} -> done: 0 records, 2 new streams
    {"newest":{"at":"2024-01-08T09:00:05Z","total":1},"read":0,"repo":{"id":"R_186a3","name":"acme/anvil"},"since":null,"stream":"stargazers"} -> done: 1 record
    {"newest":{"at":"2024-01-08T09:00:07Z","total":1},"read":0,"repo":{"id":"R_186a3","name":"acme/anvil"},"since":null,"stream":"issues"} -> done: 2 records, 1 new stream
    {"people":["U_186a2"],"stream":"followers"} -> done: 1 record
    the run -> processed
    "#);
}

#[tokio::test]
async fn commits_are_left_out_where_the_settings_say_so() {
    let Anvil { mut world, repository, ada, .. } = anvil();
    let pull = world.open_pull(repository, ada, "Mend it");
    world.commit(pull, Ok(ada), "Mend it");
    let github = serve(world).await;
    let with = rehearsal(&github).run().await;
    assert_eq!(kinds(&with), ["pull_request-opened", "authored-commit"]);
    let without = rehearsal(&github).settings(json!({ "commits": false })).run().await;
    assert_eq!(kinds(&without), ["pull_request-opened"]);
}

#[tokio::test]
async fn a_pull_request_becomes_an_activity() {
    let Anvil { mut world, repository, ada, .. } = anvil();
    let user = world.node_mut(ada);
    user.set("name", "Ada Lovelace");
    user.set("email", "ada@example.com");
    user.set("company", "@analytical");
    user.set("twitterUsername", "ada");
    user.set("websiteUrl", "https://ada.example.com");
    user.set("bio", "Mathematician");
    user.set("isHireable", true);
    let ben = world.add_user("fan");
    world.follow(ada, ben);
    let pull = world.open_pull(repository, ada, "Mend it");
    world.label(pull, "bug");
    let github = serve(world).await;

    let run = rehearsal(&github).run().await;
    let activity = run.activities().next().expect("an activity");
    assert_snapshot!(serde_json::to_string_pretty(activity).expect("JSON"), @r#"
    {
      "platform": "github",
      "kind": "pull_request-opened",
      "source_id": "PR_186a6",
      "source_parent_id": null,
      "timestamp": "2024-01-08T09:00:06Z",
      "title": "Mend it",
      "body": "Mend it, at length.",
      "url": "https://github.com/acme/anvil/pull/1",
      "channel": "https://github.com/acme/anvil",
      "attributes": {
        "additions": 12,
        "authorAssociation": "CONTRIBUTOR",
        "changedFiles": 3,
        "deletions": 5,
        "labels": [
          "bug"
        ],
        "state": "open"
      },
      "score": 10,
      "is_contribution": true,
      "member": {
        "identity": {
          "platform": "github",
          "username": "ada",
          "source_id": "100001"
        },
        "display_name": "Ada Lovelace",
        "emails": [
          "ada@example.com"
        ],
        "joined_at": null,
        "reach": {
          "github": 1
        },
        "attributes": {
          "avatarUrl": {
            "github": "https://avatars.githubusercontent.com/u/100001?v=4"
          },
          "bio": {
            "github": "Mathematician"
          },
          "isHireable": {
            "github": true
          },
          "url": {
            "github": "https://github.com/ada",
            "twitter": "https://twitter.com/ada"
          },
          "websiteUrl": {
            "github": "https://ada.example.com"
          }
        },
        "organizations": [
          "analytical"
        ]
      },
      "object_member": null
    }
    "#);
}

#[tokio::test]
async fn a_company_is_looked_up_and_told_by_the_name_that_its_people_give_it() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    world.add_organization("analytical", "Analytical Engines");
    world.node_mut(ada).set("company", " @analytical ");
    world.node_mut(ben).set("company", "Analytical Engines");
    let issue = world.open_issue(repository, ada, "It rings");
    world.comment(issue, ben, "Mine, too");
    let github = serve(world).await;

    let run = rehearsal(&github).run().await;
    let told: Vec<_> = run.organizations().collect();
    assert!(told.iter().all(|it| it.description.is_some()), "{told:?}");
    let told: Vec<_> = told.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(told, ["analytical", "Analytical Engines"]);
    let of_people: Vec<_> =
        run.activities().flat_map(|activity| &activity.member.organizations).collect();
    assert_eq!(of_people, told);
    assert_eq!(asked(&github, "OrganizationByLogin"), 1);
    assert_eq!(asked(&github, "OrganizationBySearch"), 1);
}

/// Each page meets other people of the company, and they write its name in their own ways.
#[tokio::test]
async fn a_company_is_looked_up_once_in_a_run_whoever_works_there() {
    let Anvil { mut world, repository, .. } = anvil();
    world.add_organization("analytical", "Analytical Engines");
    for number in 0..120 {
        let worker = world.add_user(&format!("worker{number}"));
        let company = if number % 2 == 0 { "@analytical" } else { "@Analytical" };
        world.node_mut(worker).set("company", company);
        world.open_issue(repository, worker, "It rings");
    }
    let github = serve(world).await;
    // Whoever takes over from a worker that died over a page fetches that page again, and no other.
    for (rehearsal, each) in
        [(rehearsal(&github), 1), (rehearsal(&github).dying_over_every_page(), 2)]
    {
        github.clear_requests();
        let run = rehearsal.run().await;
        assert_eq!(run.organizations().count(), 1, "{run}");
        assert_eq!(asked(&github, "Issues"), 3 * each, "{run}");
        assert_eq!(asked(&github, "OrganizationByLogin"), each, "{run}");
    }
}

/// The forerunner looked it up for every activity.
#[tokio::test]
async fn a_company_is_looked_up_once_however_much_is_done_there() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    world.add_organization("analytical", "Analytical Engines");
    world.node_mut(ada).set("company", "@analytical");
    for number in 0..120 {
        let issue = world.open_issue(repository, ada, &format!("It rings, the {number}th time"));
        world.comment(issue, ben, "Mine, too");
    }
    let github = serve(world).await;
    let onboarding = rehearsal(&github).run().await;
    assert_eq!(asked(&github, "OrganizationByLogin"), 1);

    github.edit(|world| world.open_issue(repository, ada, "And again"));
    let after = check(&github, &onboarding).run().await;
    assert!(after.activities().any(|it| it.title.as_deref() == Some("And again")), "{after}");
    assert_eq!(asked(&github, "OrganizationByLogin"), 1);
}

#[tokio::test]
async fn a_company_that_is_not_on_github_is_no_error() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    world.node_mut(ada).set("company", "@nowhere");
    world.node_mut(ben).set("company", "Self-employed \"for now\"");
    world.open_issue(repository, ada, "It rings");
    world.open_issue(repository, ben, "It does");
    let github = serve(world).await;
    let run = rehearsal(&github).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
}

#[tokio::test]
async fn followers_of_those_who_only_commented_are_asked_for_together() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let issue = world.open_issue(repository, ada, "It rings");
    for number in 0..12 {
        let fan = world.add_user(&format!("fan{number}"));
        world.follow(fan, ben);
        world.comment(issue, fan, "Mine, too");
    }
    let github = serve(world).await;
    let run = rehearsal(&github).run().await;
    let reach: Vec<_> = run.members().map(|member| member.reach.get("github").copied()).collect();
    assert_eq!(reach, [Some(1); 12]);
    assert_eq!(asked(&github, "Followers"), 1);
}
