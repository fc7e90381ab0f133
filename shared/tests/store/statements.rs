//! A page costs a handful of statements, however much it brings.

use shared::domain::{Activity, Operation, Tick};
use shared::store::Page;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::ground::{Ground, Held};
use crate::records::{account, activities, comment, person};
use crate::watching::Watched;

/// A page of so many comments, each by a person of their own and an answer to the one before.
fn page(comments: usize, from: &str) -> Vec<Operation> {
    let comment = |n: usize| Activity {
        source_parent_id: (n > 0).then(|| format!("{from}-{}", n - 1)),
        member: person("somebody", &format!("{from}-{n}"), format!("{from}-{n}").as_str()),
        ..comment(&format!("{from}-{n}"))
    };
    activities((0..comments).map(comment))
}

/// The same people under other names.
fn renamed(comments: usize, from: &str) -> Vec<Operation> {
    let comment = |n: usize| Activity {
        member: account(&format!("{from}-{n}-renamed"), format!("{from}-{n}").as_str()),
        ..comment(&format!("{from}-{n}"))
    };
    activities((0..comments).map(comment))
}

async fn statements_of(watched: &Watched, held: &Held, operations: Vec<Operation>) -> Vec<String> {
    let source = held.take().await;
    watched.statements().await;
    let page = Page { operations, ..Page::default() };
    held.store.commit_page(source, &page).await.unwrap();
    let statements = watched.statements().await;
    statements.iter().map(|statement| statement.text().trim().to_owned()).collect()
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_page_of_a_hundred_costs_the_statements_of_a_page_of_one(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let watched = Watched::connect(options, database).await;
    let ground = Ground::on(watched.pool.clone()).await;
    let held = ground.hold().await;

    let mut counts = Vec::new();
    for make in [page, page, renamed] {
        let of_one = statements_of(&watched, &held, make(1, "one")).await;
        let of_hundred = statements_of(&watched, &held, make(100, "hundred")).await;
        assert_eq!(of_hundred, of_one);
        counts.push(of_one.len());
    }

    // New people; known ones; renamed ones.
    assert_eq!(counts, [6, 5, 10]);
    watched.pool.close().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_page_that_brings_nothing_costs_one_statement(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let watched = Watched::connect(options, database).await;
    let ground = Ground::on(watched.pool.clone()).await;
    let held = ground.hold().await;

    assert_eq!(statements_of(&watched, &held, Vec::new()).await.len(), 1);
    watched.pool.close().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_thousand_due_integrations_cost_one_statement(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let watched = Watched::connect(options, database).await;
    let ground = Ground::on(watched.pool.clone()).await;
    ground
        .execute(
            "insert into integrations (id, tenant_id, kind, settings, next_check_tick)
             select gen_random_uuid(), id, 'toy', '{}', 1 from tenants, generate_series(1, 1000)",
        )
        .await;
    watched.statements().await;

    let started = ground.store.start_due_checks("toy", 10, Tick(1), 5_000).await.unwrap();

    assert_eq!(started, (1_000, 1_000));
    assert_eq!(watched.statements().await.len(), 1);
    watched.pool.close().await;
}
