//! What the forerunner stumbled over: each of these failed a page, or lost something.

use super::*;

/// A step whose actor is gone threw, and failed the page of pull requests five times.
#[tokio::test]
async fn a_step_of_a_deleted_account_fails_nothing_and_is_by_ghost() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let pull = world.open_pull(repository, ada, "Mend it");
    let issue = world.open_issue(repository, ada, "It rings");
    world.step(pull, None, Step::Close);
    world.step(pull, ben, Step::Assign(ada));
    world.step(pull, ben, Step::RequestReview(ada));
    world.step(issue, None, Step::Close);
    world.review(pull, ben, "Fine");
    world.delete_account(ben);
    let github = serve(world).await;
    let run = rehearsal(&github).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
    assert_eq!(truth::found(&[&run]), github.look(truth::of));
    let closed = run.activities().find(|it| it.kind == "pull_request-closed").expect("a closing");
    assert!(closed.source_id.contains("_ghost_"), "{}", closed.source_id);
}

#[tokio::test]
async fn what_deleted_accounts_wrote_stays_and_they_are_one_member() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let eve = world.add_user("eve");
    let issue = world.open_issue(repository, ben, "It rings");
    world.comment(issue, eve, "Mine, too");
    world.comment(issue, ada, "And mine");
    world.star(repository, eve);
    world.delete_account(ben);
    world.delete_account(eve);
    let github = serve(world).await;
    let run = rehearsal(&github).run().await;
    let who: Vec<_> = run
        .activities()
        .map(|it| (it.kind.as_str(), it.member.identity.username.as_str()))
        .collect();
    // A star goes with its account; GitHub shows none that is nobody's.
    assert_eq!(
        who,
        [("issues-opened", "ghost"), ("issue-comment", "ada"), ("issue-comment", "ghost")]
    );
    let parents: Vec<_> = run.activities().filter_map(|it| it.source_parent_id.as_ref()).collect();
    assert_eq!(parents.len(), 2);
}

#[tokio::test]
async fn a_commit_by_an_address_without_an_account_is_by_the_address() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let pull = world.open_pull(repository, ada, "Mend it");
    world.commit(pull, Err("build@example.com"), "Mend it");
    world.commit(pull, Ok(ben), "Mend it more");
    let github = serve(world).await;
    let run = rehearsal(&github).run().await;
    let commits: Vec<_> = run.activities().filter(|it| it.platform == "git").collect();
    let who: Vec<_> = commits.iter().map(|it| it.member.identity.username.as_str()).collect();
    assert_eq!(who, ["build@example.com", "ben"]);
    assert_eq!(commits[0].kind, "authored-commit");
    assert_eq!(commits[0].channel.as_deref(), Some("anvil"));
    assert_eq!(commits[0].url.as_deref(), Some("https://github.com/acme/anvil.git"));
    assert_snapshot!(
        serde_json::to_string(&commits[0].attributes).expect("JSON"),
        @r#"{"deletions":2,"insertions":7,"isMainBranch":false,"isMerge":false,"lines":5}"#
    );
}

#[test]
fn a_commit_of_a_year_that_no_calendar_has_is_of_an_unknown_time() {
    let said = |authored: &str| {
        let commit = json!({
            "oid": "c0ffee", "message": "Mend it", "authoredDate": authored, "additions": 1,
            "deletions": 0, "author": null, "parents": { "totalCount": 1 },
        });
        serde_json::from_value::<answers::Commit>(commit).expect("a commit").authored_date
    };
    assert_eq!(said("10000-01-01T00:00:00Z"), chrono::DateTime::UNIX_EPOCH);
    assert_eq!(said("2024-05-01T12:00:00Z").to_rfc3339(), "2024-05-01T12:00:00+00:00");
}

/// Bots were dropped, and whatever they did with them.
#[tokio::test]
async fn bots_mannequins_and_enterprise_accounts_are_who_they_are() {
    let Anvil { mut world, repository, ada, .. } = anvil();
    // Somebody has the bot's name, and somebody the mannequin's.
    let dependabot = world.add_user("dependabot");
    let bot = world.add_bot("dependabot");
    let mannequin = world.add_mannequin("ada");
    let enterprise = world.add_enterprise_account("ada_acme", ada);
    for who in [dependabot, bot, mannequin, enterprise] {
        world.open_issue(repository, who, "It rings");
    }
    let github = serve(world).await;
    let run = rehearsal(&github).run().await;
    let members: Vec<_> = run
        .activities()
        .map(|it| {
            let is_bot = it.member.attributes.contains_key("isBot");
            (it.member.identity.username.as_str(), is_bot)
        })
        .collect();
    assert_eq!(
        members,
        [
            ("ada", false),
            ("ada[mannequin]", false),
            ("dependabot[bot]", true),
            ("dependabot", false)
        ]
    );
    let ids: std::collections::BTreeSet<_> =
        run.activities().map(|it| it.member.identity.source_id.clone()).collect();
    assert_eq!(ids.len(), 4, "{ids:?}");
}

/// Repositories were told apart by their names only, without the owners.
#[tokio::test]
async fn two_repositories_of_one_name_are_two() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let other = world.add_repository("brightloom", "anvil");
    world.open_issue(repository, ada, "Ours");
    world.open_issue(other, ben, "Theirs");
    let github = serve(world).await;
    let both = following(&["acme/anvil", "brightloom/anvil"]);
    let run = rehearsal(&github).settings(both).run().await;
    let channels: Vec<_> = run
        .activities()
        .map(|it| {
            (it.title.as_deref().expect("a title"), it.channel.as_deref().expect("a channel"))
        })
        .collect();
    assert_eq!(
        channels,
        [
            ("Ours", "https://github.com/acme/anvil"),
            ("Theirs", "https://github.com/brightloom/anvil")
        ]
    );
}

/// A single failure took a repository out of the run, in silence.
#[tokio::test]
async fn a_repository_behind_a_5xx_is_asked_again_and_not_left_out() {
    for times in [1, 4] {
        let github = serve(World::realistic(7)).await;
        let unavailable = sandbox::github::StatusCode::SERVICE_UNAVAILABLE;
        github.misbehave("Repository", times, Fault::Status(unavailable));
        let names = following(&["acme/anvil", "acme/rockets", "brightloom/anvil"]);
        let run = rehearsal(&github).settings(names).run().await;
        assert_eq!(run.ending, Ending::Processed, "{run}");
        assert_eq!(truth::found(&[&run]), github.look(truth::of));
    }
}

#[tokio::test]
async fn a_repository_that_stays_away_is_a_hole_until_the_next_check_closes_it() {
    let github = serve(World::realistic(7)).await;
    let unavailable = sandbox::github::StatusCode::SERVICE_UNAVAILABLE;
    github.misbehave("Repository", 5, Fault::Status(unavailable));
    let names = following(&["acme/anvil"]);
    let onboarding = rehearsal(&github).settings(names.clone()).run().await;
    assert_eq!(onboarding.ending, Ending::Hole { streams: 1 }, "{onboarding}");
    let after = check(&github, &onboarding).settings(names).run().await;
    assert_eq!(after.ending, Ending::Processed, "{after}");
    assert!(after.activities().count() > 300);
}

#[tokio::test]
async fn a_review_asked_of_a_team_is_not_lost() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let team = world.add_team("acme/smiths", "Smiths");
    let pull = world.open_pull(repository, ada, "Mend it");
    world.step(pull, ben, Step::RequestReview(team));
    world.step(pull, ben, Step::RequestReview(ada));
    let github = serve(world).await;
    let run = rehearsal(&github).run().await;
    assert_eq!(truth::found(&[&run]), github.look(truth::of));
    let asked: Vec<_> =
        run.activities().filter(|it| it.kind == "pull_request-review-requested").collect();
    assert_eq!(asked.len(), 2);
    assert_eq!(
        asked[0].attributes["requestedTeam"],
        json!({"slug": "acme/smiths", "name": "Smiths"})
    );
}

#[tokio::test]
async fn a_review_that_is_being_written_is_not_told() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let pull = world.open_pull(repository, ada, "Mend it");
    world.write_review(pull, ben, "Hm");
    let github = serve(world).await;
    let run = rehearsal(&github).run().await;
    assert_eq!(kinds(&run), ["pull_request-opened"]);
}

#[tokio::test]
async fn a_fork_into_an_organization_is_nobodys() {
    let Anvil { mut world, repository, ada, .. } = anvil();
    let company = world.add_organization("brightloom", "Brightloom");
    world.fork(repository, company);
    let fork = world.fork(repository, ada);
    let id = world.node(fork).global_id();
    let github = serve(world).await;
    let run = rehearsal(&github).run().await;
    let forks: Vec<_> = run.activities().map(|it| it.source_id.clone()).collect();
    assert_eq!(forks, [id]);
}

#[tokio::test]
async fn a_renamed_account_is_the_same_by_its_id() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let issue = world.open_issue(repository, ada, "It rings");
    world.comment(issue, ben, "Mine, too");
    let github = serve(world).await;
    let onboarding = rehearsal(&github).run().await;
    github.edit(|world| {
        world.rename_account(ben, "benjamin");
        world.comment(issue, ben, "Still")
    });
    let after = check(&github, &onboarding).run().await;
    let bens: std::collections::BTreeSet<_> = after
        .activities()
        .filter(|it| it.member.identity.source_id == Some(ben.0.to_string()))
        .map(|it| it.member.identity.username.as_str())
        .collect();
    assert_eq!(bens, ["benjamin"].into());
}

/// Types are added to GitHub's schema: of what no fragment is about, `{}` is all that comes.
#[test]
fn who_or_what_github_adds_to_its_types_spoils_no_page() {
    let actor = json!({
        "__typename": "Robot", "login": "marvin", "url": "https://github.com/marvin",
        "avatarUrl": "https://avatars.githubusercontent.com/u/42",
    });
    let at = "2024-05-01T12:00:00Z";
    for event in [
        json!({ "__typename": "ReviewRequestedEvent", "actor": actor, "createdAt": at,
            "requestedReviewer": {} }),
        json!({ "__typename": "AssignedEvent", "actor": actor, "createdAt": at, "assignee": {} }),
        json!({ "__typename": "PolishedEvent", "actor": actor }),
    ] {
        let read = serde_json::from_value::<answers::PullEvent>(event.clone());
        read.unwrap_or_else(|error| panic!("{event}: {error}"));
    }
    let polished = json!({ "__typename": "PolishedEvent", "actor": actor });
    serde_json::from_value::<answers::IssueEvent>(polished).expect("an event");
    let found = json!({ "nodes": [{}, null] });
    serde_json::from_value::<answers::FoundOnes<answers::Company>>(found).expect("none");
}
