//! From arguments to connections. Every mistake is named at once, before anything is started.

use std::sync::Arc;

use shared::config::{DatabaseArgs, DatabaseConfig, Mistakes, QueueArgs};
use shared::queue::{self, Queue};
use shared::store::{Store, reach_database};

pub(crate) async fn store(database: &DatabaseArgs) -> anyhow::Result<Store> {
    open_store(&Mistakes::check_or_exit(|mistakes| database.check(mistakes))).await
}

pub(crate) async fn store_and_queue(
    database: &DatabaseArgs,
    queue: &QueueArgs,
) -> anyhow::Result<(Store, Arc<dyn Queue>)> {
    let mut mistakes = Mistakes::default();
    let database = database.check(&mut mistakes);
    let queue = queue.check(&mut mistakes);
    let (database, queue) = mistakes.or_exit(database.zip(queue));
    let store = open_store(&database).await?;
    let queue = queue::connect(&queue, &store).await?;
    Ok((store, queue))
}

/// A store whose database is there and has this version's schema.
pub(crate) async fn open_store(database: &DatabaseConfig) -> anyhow::Result<Store> {
    reach_database(&database.url).await?;
    let store = Store::connect_lazily(database)?;
    store.check().await?;
    Ok(store)
}
