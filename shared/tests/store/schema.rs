//! Whether the database has this version's schema.

use shared::clock::Clock;
use shared::store::Store;
use sqlx::PgPool;

#[sqlx::test(migrations = false)]
async fn migrating_is_asked_for_where_the_schema_is_missing_and_nowhere_else(pool: PgPool) {
    let store = Store::new(pool.clone(), Clock::System);
    let said = async || format!("{:#}", store.check().await.unwrap_err());
    assert!(said().await.contains("`millrace migrate` makes it"), "{}", said().await);

    store.migrate().await.unwrap();
    store.check().await.unwrap();
    pool.close().await;
    let away = said().await;
    assert!(away.starts_with("asking the database: "), "{away}");
    assert!(!away.contains("migrate"), "{away}");
}
