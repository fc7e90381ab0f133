//! `millrace migrate`

use std::collections::BTreeSet;

use shared::clock::Clock;
use shared::store::{MIGRATIONS, Store};
use sqlx::{AssertSqlSafe, ConnectOptions, PgPool};
use uuid::Uuid;

use crate::millrace::Millrace;

#[sqlx::test(migrations = false)]
async fn migrating_says_what_was_applied_and_then_that_nothing_is_left(pool: PgPool) {
    let millrace = Millrace::on(&pool);
    let applied = millrace.run(&["migrate"]).await.ok();
    assert!(applied.starts_with("applied 0001 integrations\napplied 0002 runs and streams\n"));
    assert_eq!(applied.lines().count(), MIGRATIONS.iter().count());
    Store::new(pool, Clock::System).check().await.unwrap();

    let for_ever = u64::MAX.to_string();
    let again = millrace.run(&["migrate", "--wait", &for_ever]).await.ok();
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap();
    assert_eq!(again, format!("nothing to apply: the schema is at {newest:04}\n"));
}

#[sqlx::test(migrations = false)]
async fn two_who_migrate_at_once_apply_each_migration_once(pool: PgPool) {
    let millrace = Millrace::on(&pool);
    let (one, other) = tokio::join!(millrace.run(&["migrate"]), millrace.run(&["migrate"]));
    let both = [one.ok(), other.ok()].concat();
    let applied: Vec<_> = both.lines().filter(|line| line.starts_with("applied")).collect();
    assert_eq!(applied.len(), MIGRATIONS.iter().count(), "{both}");
    assert_eq!(BTreeSet::from_iter(&applied).len(), applied.len(), "{both}");
}

#[sqlx::test(migrations = false)]
async fn a_database_that_is_not_there_yet_is_waited_for(pool: PgPool) {
    let name = format!("later_{}", Uuid::new_v4().simple());
    let url = (*pool.connect_options()).clone().database(&name).to_url_lossy();
    let millrace = Millrace::at(url.as_str());
    let refusal = millrace.run(&["migrate"]).await.refusal(1);
    assert!(refusal.contains("does not exist"), "{refusal}");

    let mut waiting = millrace.start(&["migrate", "--wait", "60"]);
    assert!(waiting.complaint().await.starts_with("waiting up to 60 s for the database: "));
    let statement = |verb| AssertSqlSafe(format!(r#"{verb} database "{name}""#));
    sqlx::query(statement("create")).execute(&pool).await.unwrap();
    let (applied, ended) = waiting.end().await;
    sqlx::query(statement("drop")).execute(&pool).await.unwrap();

    assert!(ended.success());
    assert_eq!(applied.len(), MIGRATIONS.iter().count());
}

#[sqlx::test(migrations = false)]
async fn a_database_that_does_not_let_us_in_is_not_waited_for(pool: PgPool) {
    let url = (*pool.connect_options()).clone().username("a stranger").to_url_lossy();
    let refusal = Millrace::at(url.as_str()).run(&["migrate", "--wait", "600"]).await.refusal(1);
    assert!(refusal.contains("the database does not let us in"), "{refusal}");
}
