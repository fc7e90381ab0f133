//! GitHub's limits: how they are met, and what is told to whoever counts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::*;
use crate::sdk::{Keys, Quota, RequestLimit, Said, Spending, Spent};

async fn github_with_a_star() -> SimulatedGithub {
    let Anvil { mut world, repository, ada, .. } = anvil();
    world.star(repository, ada);
    serve(world).await
}

#[tokio::test]
async fn a_spent_limit_under_200_is_waited_out_and_costs_no_attempt() {
    let github = github_with_a_star().await;
    github.misbehave("Stargazers", 1, Fault::PrimaryLimit { resets_in: 600 });
    let run = rehearsal(&github).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
    let [wait] = run.waits[..] else { panic!("one wait: {run}") };
    assert!((598..=600).contains(&wait.as_secs()), "{wait:?}");
}

#[tokio::test]
async fn a_spent_limit_of_rest_is_waited_out() {
    let github = github_with_a_star().await;
    github.misbehave("/user/repos", 1, Fault::PrimaryLimit { resets_in: 600 });
    let run = rehearsal(&github).run().await;
    assert_eq!(
        (&run.ending, run.attempts_spent, run.waits.len()),
        (&Ending::Processed, 0, 1),
        "{run}"
    );
}

/// The forerunner took them for a missing permission.
#[tokio::test]
async fn a_secondary_limit_is_waited_out_with_and_without_a_time() {
    for (retry_after, seconds) in [(Some(90), 90), (None, 60)] {
        for what in ["Stargazers", "/user/repos"] {
            let github = github_with_a_star().await;
            github.misbehave(what, 1, Fault::SecondaryLimit { retry_after });
            let run = rehearsal(&github).run().await;
            assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
            assert_eq!(run.waits, [Duration::from_secs(seconds)]);
        }
    }
}

#[tokio::test]
async fn a_secondary_limit_under_200_is_waited_out() {
    for kind in [None, Some("RATE_LIMIT")] {
        let github = github_with_a_star().await;
        let message = "You have exceeded a secondary rate limit.";
        github.misbehave("Stargazers", 1, Fault::Error { kind, message });
        let run = rehearsal(&github).run().await;
        assert_eq!((&run.ending, run.attempts_spent, run.waits.len()), (&Ending::Processed, 0, 1));
    }
}

/// Takes note of everything, and lets everything pass.
#[derive(Clone, Default)]
struct Notebook(Arc<Mutex<Notes>>);

#[derive(Default)]
struct Notes {
    spent: Vec<Vec<(String, u32)>>,
    said: Vec<(String, Said)>,
}

#[async_trait]
impl Quota for Notebook {
    async fn spend(&self, spending: &[Spending]) -> Result<Spent> {
        let spent = spending.iter().map(|it| (it.limit.class.to_string(), it.cost)).collect();
        self.0.lock().expect("notes").spent.push(spent);
        Ok(Spent::until_dropped(()))
    }

    async fn heed(&self, limit: &RequestLimit, said: Said) {
        self.0.lock().expect("notes").said.push((limit.class.to_string(), said));
    }
}

fn noting(notebook: &Notebook) -> Access {
    Access::new(Arc::new(Fixed), Arc::new(notebook.clone()))
}

struct Fixed;

#[async_trait]
impl Keys for Fixed {
    async fn current(&self) -> Result<Option<Arc<Credential>>> {
        Ok(Some(Arc::new(personal_token())))
    }

    async fn renewed(&self, _: &Credential) -> Result<Arc<Credential>> {
        unreachable!("a personal token is not renewed")
    }
}

#[tokio::test]
async fn each_query_says_what_it_expects_to_cost_and_passes_on_what_it_did() {
    let github = github_with_a_star().await;
    let notebook = Notebook::default();
    let access = noting(&notebook);
    let integration = Github::at(&github.url()).expect("an integration");
    let name = "acme/anvil".parse().expect("a name");
    integration.glance(&name, &access).await.expect("a repository");
    integration.identify(&access).await.expect("an owner");

    let notes = notebook.0.lock().expect("notes");
    let query = [("graphql".to_owned(), 1), ("graphql secondary".to_owned(), 1)].to_vec();
    assert_eq!(notes.spent, [query, [("core".to_owned(), 1)].to_vec()]);
    // Of the query by its headers and by `rateLimit`, of the other by its headers.
    let classes: Vec<_> = notes.said.iter().map(|(class, _)| class.as_str()).collect();
    assert_eq!(classes, ["graphql", "graphql", "core"]);
    for (class, said) in &notes.said {
        assert_eq!((said.allowed, said.remaining), (Some(5000), Some(4999)), "{class}");
        assert!(said.resets_in.is_some_and(|it| it <= Duration::from_secs(3601)), "{class}");
    }
}

/// Or all who share the credential would go on asking.
#[tokio::test]
async fn a_limit_under_200_is_told_to_whoever_counts() {
    for kind in [None, Some("RATE_LIMITED")] {
        let github = github_with_a_star().await;
        let message = "You have exceeded a secondary rate limit.";
        github.misbehave("Repository", 1, Fault::Error { kind, message });
        let notebook = Notebook::default();
        let integration = Github::at(&github.url()).expect("an integration");
        let name = "acme/anvil".parse().expect("a name");
        let refused = integration.glance(&name, &noting(&notebook)).await.err();
        let Some(SyncError::RateLimited { retry_after }) = refused else {
            panic!("limited: {refused:?}");
        };
        let notes = notebook.0.lock().expect("notes");
        let (class, said) = notes.said.last().expect("a word");
        assert_eq!((class.as_str(), said.refused_for), ("graphql", Some(retry_after)), "{kind:?}");
    }
}
