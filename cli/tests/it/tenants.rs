//! `millrace tenants`

use serde_json::Value;
use shared::clock::Clock;
use shared::domain::TenantId;
use shared::store::Store;
use sqlx::PgPool;

use crate::millrace::Millrace;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_new_tenant_is_let_in_by_the_token_that_is_shown_once(pool: PgPool) {
    let millrace = Millrace::on(&pool);
    let created: Value = millrace.run(&["tenants", "create", "acme", "--json"]).await.json();
    let token = created["token"].as_str().unwrap();
    assert!(token.starts_with("mill_") && token.len() == "mill_".len() + 64, "{token}");

    let tenant: TenantId = created["id"].as_str().unwrap().parse().unwrap();
    let store = Store::new(pool, Clock::System);
    assert_eq!(store.tenant_of_token(token).await.unwrap(), Some(tenant));

    let listed: Value = millrace.run(&["tenants", "list", "--json"]).await.json();
    assert_eq!(listed, serde_json::json!([{ "id": tenant, "name": "acme" }]));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn for_people_a_tenant_and_its_token_stand_in_a_line_each(pool: PgPool) {
    let millrace = Millrace::on(&pool);
    let created = millrace.run(&["tenants", "create", "acme"]).await.ok();
    let lines: Vec<Vec<&str>> =
        created.lines().map(|line| line.split_whitespace().collect()).collect();
    let [["tenant", id, "acme"], ["token", token]] = [&lines[0][..], &lines[1][..]] else {
        panic!("{created}");
    };
    let store = Store::new(pool, Clock::System);
    assert_eq!(store.tenant_of_token(token).await.unwrap(), id.parse().ok());

    let listed = millrace.run(&["tenants", "list"]).await.ok();
    assert!(listed.contains(id) && listed.contains("acme") && !listed.contains(token), "{listed}");
}

#[tokio::test]
async fn a_tenant_has_a_name() {
    let nowhere = Millrace::at("postgres://nobody@127.0.0.1:1/nothing");
    let refusal = nowhere.run(&["tenants", "create", ""]).await.refusal(2);
    assert!(refusal.contains("<NAME>"), "{refusal}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_name_that_several_tenants_have_is_not_enough(pool: PgPool) {
    let store = Store::new(pool.clone(), Clock::System);
    let one = store.add_tenant("acme", "one").await.unwrap();
    let other = store.add_tenant("acme", "other").await.unwrap();

    let millrace = Millrace::on(&pool);
    let refusal = millrace.run(&["runs", "--tenant", "acme"]).await.refusal(1);
    assert!(refusal.contains("several tenants are called `acme`"), "{refusal}");
    assert!(refusal.contains(&one.id.to_string()) && refusal.contains(&other.id.to_string()));
    millrace.run(&["runs", "--tenant", &one.id.to_string()]).await.ok();
    let refusal = millrace.run(&["runs", "--tenant", "nobody"]).await.refusal(1);
    assert!(refusal.contains("there is no tenant `nobody`"), "{refusal}");
}
