//! What GitHub answers only in part, or not at all.

use sandbox::github::{APP_ID, INSTALLATION_ID, PRIVATE_KEY, StatusCode};

use super::*;
use crate::sdk::GithubApp;

async fn github_with_an_issue() -> SimulatedGithub {
    let Anvil { mut world, repository, ada, ben } = anvil();
    let issue = world.open_issue(repository, ada, "It rings");
    world.comment(issue, ben, "Mine, too");
    serve(world).await
}

/// What is withheld is left out, and the rest is taken.
#[tokio::test]
async fn an_author_who_is_withheld_is_ghost_and_an_item_that_is_withheld_is_left_out() {
    for (kind, path, expected) in [
        ("NOT_FOUND", "subject.page.nodes.0.author", vec!["ghost", "ben"]),
        ("FORBIDDEN", "subject.page.nodes.0.author", vec!["ghost", "ben"]),
        ("FORBIDDEN", "subject.page.nodes.0.comments.nodes.0", vec!["ada"]),
        ("NOT_FOUND", "subject.page.nodes.0", vec![]),
    ] {
        let github = github_with_an_issue().await;
        let message = "Resource not accessible";
        github.misbehave("Issues", 1, Fault::Partial { path, kind: Some(kind), message });
        let run = rehearsal(&github).run().await;
        assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
        let who: Vec<_> = run.activities().map(|it| it.member.identity.username.as_str()).collect();
        assert_eq!(who, expected, "{kind} at {path}");
    }
}

/// Half a page is never taken for a whole one.
#[tokio::test]
async fn a_resolver_that_failed_is_asked_again() {
    let github = github_with_an_issue().await;
    let path = "subject.page.nodes.0.comments";
    let message = "Something went wrong while executing your query.";
    github.misbehave("Issues", 2, Fault::Partial { path, kind: None, message });
    let run = rehearsal(&github).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 2), "{run}");
    assert_eq!(truth::found(&[&run]), github.look(truth::of));
}

#[tokio::test]
async fn an_error_instead_of_data_is_no_empty_page() {
    for kind in [None, Some("SERVICE_UNAVAILABLE"), Some("INTERNAL")] {
        let github = github_with_an_issue().await;
        github.misbehave("Issues", 1, Fault::Error { kind, message: "Something went wrong" });
        let run = rehearsal(&github).run().await;
        assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 1), "{run}");
        assert_eq!(truth::found(&[&run]), github.look(truth::of));
    }
}

#[tokio::test]
async fn a_scope_that_a_list_takes_is_named_in_githubs_words_and_condemns_no_credential() {
    let github = github_with_an_issue().await;
    let message = "Your token has not been granted the required scopes: ['read:user']";
    let fault = Fault::Error { kind: Some("INSUFFICIENT_SCOPES"), message };
    github.misbehave("Issues", 1, fault);
    let run = rehearsal(&github).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    assert!(run.to_string().contains(message), "{run}");
}

/// An organization's SAML, or a fine-grained token that does not include what is asked for.
#[tokio::test]
async fn a_403_ends_what_it_is_about_in_githubs_words_and_condemns_no_credential() {
    for what in ["/user/repos", "Issues"] {
        let github = github_with_an_issue().await;
        github.misbehave(what, 1, Fault::Status(StatusCode::FORBIDDEN));
        let run = rehearsal(&github).run().await;
        assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{what}: {run}");
        assert!(run.to_string().contains("answered 403 Forbidden"), "{what}: {run}");
    }
    // Of an installation, with a token of a person.
    let github = github_with_an_issue().await;
    let of_installation = rehearsal(&github).credential(Credential::GithubApp(GithubApp {
        app_id: APP_ID,
        installation_id: INSTALLATION_ID,
        private_key: PRIVATE_KEY.into(),
        access_token: Some(PERSONAL_TOKEN.into()),
        expires_at: None,
    }));
    let run = of_installation.run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    assert!(run.to_string().contains(": Resource not accessible by integration"), "{run}");
}

/// A list that is closed to us is named, and the others are read.
#[tokio::test]
async fn a_list_that_is_forbidden_is_a_hole_with_a_reason() {
    let github = serve(World::realistic(7)).await;
    let message = "Resource not accessible by integration";
    let fault = Fault::Partial { path: "subject", kind: Some("FORBIDDEN"), message };
    github.misbehave("Discussions", 3, fault);
    let run = rehearsal(&github).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 3 }, "{run}");
    assert!(
        run.to_string().contains(
            "GitHub shows no repository `acme/anvil`: Resource not accessible by integration"
        ),
        "{run}"
    );
    let mut truth = github.look(truth::of);
    truth.retain(|(kind, _), _| !kind.starts_with("discussion"));
    assert_eq!(truth::found(&[&run]), truth);
}

#[tokio::test]
async fn a_page_that_is_too_much_is_asked_for_by_half_and_the_next_wholly_again() {
    let Anvil { mut world, repository, ada, .. } = anvil();
    for _ in 0..60 {
        world.open_pull(repository, ada, "Mend it");
    }
    let github = serve(world).await;
    github.misbehave("Pulls", 1, Fault::TooMuch { from: 20 });
    let run = rehearsal(&github).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
    assert_eq!(truth::found(&[&run]), github.look(truth::of));
    let sizes: Vec<_> = github
        .requests()
        .iter()
        .filter(|request| request.what == "Pulls")
        .map(|request| request.with["size"].as_u64().expect("a number"))
        .collect();
    assert_eq!(sizes, [25, 12, 25, 25]);
}

#[tokio::test]
async fn a_repository_whose_pull_requests_are_always_too_much_is_read_one_by_one_at_the_worst() {
    let Anvil { mut world, repository, ada, .. } = anvil();
    for _ in 0..5 {
        world.open_pull(repository, ada, "Mend it");
    }
    let github = serve(world).await;
    github.misbehave("Pulls", sandbox::github::ALWAYS, Fault::TooMuch { from: 2 });
    let run = rehearsal(&github).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
    assert_eq!(truth::found(&[&run]), github.look(truth::of));
}

#[tokio::test]
async fn what_is_too_much_by_words_is_asked_for_by_half_too() {
    for (kind, message) in [
        (Some("RESOURCE_LIMITS_EXCEEDED"), "Resource limits for this query exceeded."),
        (
            None,
            "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug.",
        ),
    ] {
        let github = github_with_an_issue().await;
        github.misbehave("Issues", 1, Fault::Error { kind, message });
        let run = rehearsal(&github).run().await;
        assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
        assert_eq!(truth::found(&[&run]), github.look(truth::of));
    }
}

/// Whatever list fails for good, in an onboarding or a check, no cursor is ahead of what was read.
#[tokio::test]
async fn no_cursor_is_ahead_of_a_list_that_failed() {
    for list in ["Stargazers", "Forks", "Pulls", "Issues", "Discussions"] {
        let Anvil { mut world, repository, ada, ben } = anvil();
        do_one_of_each(&mut world, repository, ada);
        let github = serve(world).await;
        let fault = Fault::Status(sandbox::github::StatusCode::INTERNAL_SERVER_ERROR);
        github.misbehave(list, 5, fault.clone());
        let onboarding = rehearsal(&github).run().await;
        assert_eq!(onboarding.ending, Ending::Hole { streams: 1 }, "{onboarding}");
        let second = check(&github, &onboarding).run().await;
        assert_eq!(second.ending, Ending::Processed, "{second}");
        assert_eq!(truth::found(&[&onboarding, &second]), github.look(truth::of), "{list}");

        github.edit(|world| {
            an_hour_later(world);
            do_one_of_each(world, repository, ben);
        });
        github.misbehave(list, 5, fault);
        let third = check(&github, &second).run().await;
        assert_eq!(third.ending, Ending::Hole { streams: 1 }, "{third}");
        let fourth = check(&github, &third).run().await;
        // What is new, and the newest that was known, and of the other lists nothing.
        assert_eq!(kinds(&fourth).len(), 2, "{list}: {fourth}");
        let runs = [&onboarding, &second, &third, &fourth];
        assert_eq!(truth::found(&runs), github.look(truth::of), "{list}");
    }
}

fn do_one_of_each(world: &mut World, repository: Id, by: Id) {
    world.star(repository, by);
    world.fork(repository, by);
    world.open_pull(repository, by, "Mend it");
    world.open_issue(repository, by, "It rings");
    world.start_discussion(repository, by, "Which hammer?");
}

#[test]
fn a_list_that_goes_round_in_circles_is_an_error_and_no_end() {
    let connection = json!({
        "totalCount": 2, "pageInfo": { "hasNextPage": true, "endCursor": "same" },
        "nodes": [null, null],
    });
    let connection: answers::Connection<Value> =
        serde_json::from_value(connection).expect("a connection");
    let next = |cursor, read| lists::next_page("acme/anvil", &connection, cursor, read);
    assert_eq!(next(Some("before"), 0).expect("a page"), Some(("same".to_owned(), 2)));
    assert!(matches!(next(Some("same"), 2), Err(SyncError::Other(_))));
    assert!(matches!(next(Some("before"), 5000), Err(SyncError::Permanent(_))));
}
