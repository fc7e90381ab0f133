//! What becomes of a world when people act in it.

use sandbox::github::{Github, Id, PERSONAL_TOKEN, Step, World};
use serde_json::json;

use crate::client::{answer, get};

#[test]
fn one_seed_grows_one_world() {
    let grown = |seed| format!("{:?}", World::realistic(seed));
    assert_eq!(grown(7), grown(7));
    assert_ne!(grown(7), grown(8));
}

#[test]
fn a_realistic_world_has_some_of_everything() {
    let world = World::realistic(7);
    for (kind, some) in [
        ("StargazerEdge", 100),
        ("PullRequest", 40),
        ("PullRequestReview", 40),
        ("PullRequestReviewComment", 50),
        ("Commit", 60),
        ("Issue", 20),
        ("IssueComment", 80),
        ("Discussion", 20),
        ("DiscussionComment", 30),
        ("ClosedEvent", 30),
    ] {
        let count = world.all(kind).count();
        assert!(count >= some, "{count} of {kind}");
    }
    let names: Vec<_> = world.repositories().map(|it| it.text("name")).collect();
    assert_eq!(names, ["anvil", "rockets", "anvil"]);
    let ghosts = world
        .all("IssueComment")
        .filter(|it| it.link("author").is_some_and(|author| world.find(author).is_none()));
    assert!(ghosts.count() > 0, "nobody has left");
}

#[tokio::test]
async fn a_renamed_repository_is_found_by_both_names_and_a_closed_one_by_none() {
    let mut world = World::empty();
    let repository = world.add_repository("acme", "anvil");
    world.rename_repository(repository, "acme", "hammer");
    let github = Github::serve(world).await.unwrap();
    let query = "query Named($name: String!) { repository(owner: \"acme\", name: $name) { name } }";
    for name in ["anvil", "hammer"] {
        let found = answer(&github, query, json!({ "name": name })).await;
        assert_eq!(found["data"]["repository"]["name"], "hammer");
    }
    github.edit(|world| world.close_repository(repository));
    let missing = answer(&github, query, json!({ "name": "hammer" })).await;
    assert_eq!(
        (&missing["data"]["repository"], &missing["errors"][0]["type"]),
        (&json!(null), &json!("NOT_FOUND"))
    );
    assert_eq!(get(&github, "/user/repos", PERSONAL_TOKEN).await, (200, json!([])));
}

#[test]
fn whatever_is_done_below_an_item_updates_it() {
    let mut world = World::empty();
    let ada = world.add_user("ada");
    let repository = world.add_repository("acme", "anvil");
    let pull = world.open_pull(repository, ada, "Mend it");
    let thread = world.start_thread(pull, ada, "Why?");
    let mut before = world.node(pull).at("updatedAt");
    let acts: [fn(&mut World, [Id; 3]) -> Id; 5] = [
        |world, [pull, ada, _]| world.comment(pull, ada, "Hm"),
        |world, [_, ada, thread]| world.reply_in_thread(thread, ada, "So"),
        |world, [pull, ada, _]| world.review(pull, ada, "Fine"),
        |world, [pull, ada, _]| world.commit(pull, Ok(ada), "Mend"),
        |world, [pull, ada, _]| world.step(pull, ada, Step::Merge),
    ];
    for act in acts {
        act(&mut world, [pull, ada, thread]);
        let after = world.node(pull).at("updatedAt");
        assert!(after > before);
        before = after;
    }
    assert_eq!(world.node(pull).text("state"), "MERGED");
}

#[test]
fn a_deleted_account_leaves_what_it_wrote() {
    let mut world = World::empty();
    let [ada, ben] = ["ada", "ben"].map(|login| world.add_user(login));
    let repository = world.add_repository("acme", "anvil");
    let issue = world.open_issue(repository, ada, "It rings");
    world.comment(issue, ben, "Mine, too");
    world.delete_account(ben);
    assert_eq!(world.node(issue).list("comments").len(), 1);
    assert!(world.find(ben).is_none());
}
