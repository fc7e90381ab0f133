//! Lists, and how they are cut into pages.

use sandbox::github::{Github, Id, Step, World};
use serde_json::{Value, json};

use crate::client::answer;

const ISSUES: &str = "query Issues($of: ID!, $after: String) { node(id: $of) { ... on Repository {
    issues(first: 2, after: $after, orderBy: { field: UPDATED_AT, direction: DESC }) {
        totalCount pageInfo { hasNextPage endCursor } nodes { title } } } } }";

fn world(titles: &[&str]) -> (World, Id, Vec<Id>) {
    let mut world = World::empty();
    let ada = world.add_user("ada");
    let repository = world.add_repository("acme", "anvil");
    let issues = titles.iter().map(|title| world.open_issue(repository, ada, title)).collect();
    (world, repository, issues)
}

async fn page(github: &Github, of: &str, after: Option<&str>) -> Value {
    let answer = answer(github, ISSUES, json!({ "of": of, "after": after })).await;
    answer["data"]["node"]["issues"].clone()
}

fn titles(page: &Value) -> Vec<&str> {
    page["nodes"].as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let (world, repository, _) = world(&["one", "two", "three"]);
    let of = world.node(repository).global_id();
    let github = Github::serve(world).await.unwrap();
    let first = page(&github, &of, None).await;
    assert_eq!((titles(&first), &first["totalCount"]), (vec!["three", "two"], &json!(3)));
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let second = page(&github, &of, first["pageInfo"]["endCursor"].as_str()).await;
    assert_eq!((titles(&second), &second["pageInfo"]["hasNextPage"]), (vec!["one"], &json!(false)));
}

#[tokio::test]
async fn what_moves_to_the_top_is_not_on_the_pages_after_a_cursor() {
    let (world, repository, issues) = world(&["one", "two", "three", "four"]);
    let of = world.node(repository).global_id();
    let github = Github::serve(world).await.unwrap();
    let first = page(&github, &of, None).await;
    github.edit(|world| {
        let ben = world.add_user("ben");
        world.comment(issues[0], ben, "Still there")
    });
    let second = page(&github, &of, first["pageInfo"]["endCursor"].as_str()).await;
    assert_eq!(titles(&second), ["two"]);
}

#[tokio::test]
async fn steps_are_listed_by_type_and_since_a_time_and_counted_all() {
    let (mut world, _, issues) = world(&["one"]);
    let ada = world.add_user("eve");
    world.step(issues[0], ada, Step::Close);
    let since = world.now() + chrono::TimeDelta::seconds(1);
    world.step(issues[0], ada, Step::Assign(ada));
    world.step(issues[0], ada, Step::Close);
    let of = world.node(issues[0]).global_id();
    let github = Github::serve(world).await.unwrap();
    let query = "query Steps($of: ID!, $since: DateTime) { node(id: $of) { ... on Issue {
        timelineItems(first: 10, since: $since, itemTypes: [CLOSED_EVENT]) {
            totalCount nodes { __typename } } } } }";
    for (since, count) in [(None, 2), (Some(since), 1)] {
        let answer = answer(&github, query, json!({ "of": of, "since": since })).await;
        let steps = &answer["data"]["node"]["timelineItems"];
        assert_eq!(steps["nodes"], json!(vec![json!({ "__typename": "ClosedEvent" }); count]));
        assert_eq!(steps["totalCount"], 3);
    }
}

#[tokio::test]
async fn more_than_a_hundred_at_once_are_refused() {
    let (world, repository, _) = world(&["one"]);
    let of = world.node(repository).global_id();
    let github = Github::serve(world).await.unwrap();
    let query = ISSUES.replace("first: 2", "first: 101");
    let refused = answer(&github, &query, json!({ "of": of })).await;
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("1 to 100"), "{refused}");
}

#[tokio::test]
async fn a_list_that_is_closed_takes_its_repository_along() {
    let mut world = World::empty();
    let [anvil, _] = ["anvil", "rockets"].map(|name| world.add_repository("acme", name));
    world.close_list(anvil, "discussions");
    let ids: Vec<_> = world.repositories().map(|it| it.global_id()).collect();
    let github = Github::serve(world).await.unwrap();
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Repository { name
        discussions(first: 1) { totalCount } } } }";
    let answered = answer(&github, query, json!({ "ids": ids })).await;
    let rockets = json!({ "name": "rockets", "discussions": { "totalCount": 0 } });
    assert_eq!(answered["data"]["nodes"], json!([null, rockets]));
    let error = &answered["errors"][0];
    assert_eq!(
        (&error["type"], &error["path"]),
        (&json!("FORBIDDEN"), &json!(["nodes", 0, "discussions"]))
    );
}
