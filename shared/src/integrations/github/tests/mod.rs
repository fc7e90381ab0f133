//! Whole stories against a simulated GitHub, with the truth at hand. The queries are held against
//! GitHub's own schema, of which `schema.graphql` is what they use; the other requests against
//! `rest.json`, which was pruned in the same way.

mod app;
mod checks;
mod children;
mod faults;
mod limits;
mod moments;
mod onboarding;
mod permissions;
mod queries;
mod repositories;
mod requests;
mod settings;
mod stored;
mod traps;
mod truth;

use insta::assert_snapshot;
use sandbox::github::{Fault, Github as SimulatedGithub, Id, PERSONAL_TOKEN, Step, World};
use serde_json::{Value, json};

use super::*;
use crate::sdk::testing::{Ending, Examination, Rehearsal, Rehearsed};

async fn serve(world: World) -> SimulatedGithub {
    SimulatedGithub::serve(world).await.expect("a GitHub")
}

fn personal_token() -> Credential {
    Credential::Secret { secret: PERSONAL_TOKEN.into() }
}

/// An onboarding of everything, with a personal token.
fn rehearsal(github: &SimulatedGithub) -> Rehearsal {
    let integration = Github::at(&github.url()).expect("an integration");
    Rehearsal::of(integration).credential(personal_token())
}

/// A check after this run.
fn check(github: &SimulatedGithub, after: &Rehearsed) -> Rehearsal {
    rehearsal(github).check().state(after.state.clone())
}

fn following(names: &[&str]) -> Value {
    let repos = names.iter().map(|name| {
        let (owner, name) = name.split_once('/').expect("a whole name");
        json!({ "owner": owner, "name": name })
    });
    json!({ "repos": repos.collect::<Vec<_>>() })
}

/// A repository with two people around it.
struct Anvil {
    world: World,
    repository: Id,
    ada: Id,
    ben: Id,
}

fn anvil() -> Anvil {
    let mut world = World::empty();
    let [ada, ben] = ["ada", "ben"].map(|login| world.add_user(login));
    let repository = world.add_repository("acme", "anvil");
    Anvil { world, repository, ada, ben }
}

/// What is an hour older than the newest is before what a check reads again.
fn an_hour_later(world: &mut World) {
    world.turn_to(world.now() + chrono::TimeDelta::hours(1));
}

/// How often it was asked for.
fn asked(github: &SimulatedGithub, what: &str) -> usize {
    github.requests().iter().filter(|request| request.what == what).count()
}

fn all_asked(github: &SimulatedGithub) -> Vec<String> {
    github.requests().into_iter().map(|request| request.what).collect()
}

fn kinds(run: &Rehearsed) -> Vec<&str> {
    run.activities().map(|activity| activity.kind.as_str()).collect()
}

#[tokio::test]
async fn it_passes_the_examination() {
    let Anvil { mut world, repository, ada, ben } = anvil();
    world.star(repository, ada);
    let issue = world.open_issue(repository, ada, "It rings");
    world.comment(issue, ben, "Mine, too");
    let discussion = world.start_discussion(repository, ben, "Which hammer?");
    world.answer(discussion, ada, "The heavy one");
    let github = serve(world).await;

    Examination::of(Github::with, github.url())
        .settings(following(&["acme/anvil"]))
        .credential(personal_token())
        .sit()
        .await;
}
