//! What a query is answered with.

use sandbox::github::{Fault, Github, World};
use serde_json::json;

use crate::client::answer;

fn world() -> World {
    let mut world = World::empty();
    let ada = world.add_user("ada");
    let repository = world.add_repository("acme", "anvil");
    world.open_issue(repository, ada, "It rings");
    world
}

#[tokio::test]
async fn aliases_fragments_and_directives_are_followed() {
    let github = Github::serve(world()).await.unwrap();
    let query = "query Anvil($with: Boolean!) { it: repository(owner: \"acme\", name: \"Anvil\") {
        ...Named nameWithOwner @include(if: $with) issues(first: 1) { nodes { author {
            __typename ... on User { login } ... on Bot { databaseId } } } } } }
        fragment Named on Repository { called: name }";
    let issues = json!({ "nodes": [{ "author": { "__typename": "User", "login": "ada" } }] });
    let without = answer(&github, query, json!({ "with": false })).await;
    assert_eq!(without, json!({ "data": { "it": { "called": "anvil", "issues": issues } } }));
    let with = answer(&github, query, json!({ "with": true })).await;
    assert_eq!(with["data"]["it"]["nameWithOwner"], "acme/anvil");
}

#[tokio::test]
async fn a_field_that_is_not_there_is_an_error_and_no_data() {
    let github = Github::serve(world()).await.unwrap();
    let query = "query Anvil { repository(owner: \"acme\", name: \"anvil\") { colour } }";
    let refused = answer(&github, query, json!({})).await;
    assert_eq!(refused.get("data"), None);
    let message = &refused["errors"][0]["message"];
    assert_eq!(message, "Field 'colour' doesn't exist on type 'Repository'");
}

#[tokio::test]
async fn what_is_not_there_is_null_beside_an_error_and_the_rest_is_answered() {
    let github = Github::serve(world()).await.unwrap();
    let id = github.look(|world| world.repository("acme/anvil").unwrap().global_id());
    let query = "query Two($ids: [ID!]!) { nodes(ids: $ids) { ... on Repository { name } } }";
    let partial = answer(&github, query, json!({ "ids": ["R_1", id] })).await;
    assert_eq!(partial["data"]["nodes"], json!([null, { "name": "anvil" }]));
    let error = &partial["errors"][0];
    assert_eq!((&error["type"], &error["path"]), (&json!("NOT_FOUND"), &json!(["nodes", 0])));
}

#[tokio::test]
async fn a_part_can_be_withheld_with_a_reason() {
    let github = Github::serve(world()).await.unwrap();
    let fault = Fault::Partial { path: "it.name", kind: Some("FORBIDDEN"), message: "No" };
    github.misbehave("Anvil", 1, fault);
    let query = "query Anvil { it: repository(owner: \"acme\", name: \"anvil\") { name } }";
    let partial = answer(&github, query, json!({})).await;
    let error = json!({ "type": "FORBIDDEN", "path": ["it", "name"], "message": "No" });
    assert_eq!(partial, json!({ "data": { "it": { "name": null } }, "errors": [error] }));
}
