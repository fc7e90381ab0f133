//! The queue a service was told to use.

use std::sync::Arc;

use anyhow::Context;

use super::postgres::PostgresQueue;
use super::sqs::{SqsConfig, SqsQueue, client, create_queues};
use super::{Queue, Redelivery};
use crate::config::QueueConfig;
use crate::store::Store;

/// Connects to the queue, after creating it if that is wanted.
pub async fn connect(config: &QueueConfig, store: &Store) -> anyhow::Result<Arc<dyn Queue>> {
    let redelivery = Redelivery { visibility: config.visibility(), ..Redelivery::default() };
    match config {
        QueueConfig::Postgres { .. } => {
            let (pool, clock) = (store.pool().clone(), store.clock().clone());
            Ok(Arc::new(PostgresQueue::new(pool, clock, redelivery)))
        }
        QueueConfig::Sqs { sqs, create: false } => Ok(Arc::new(SqsQueue::connect(sqs).await?)),
        QueueConfig::Sqs { sqs, create: true } => {
            let sqs = created(sqs, redelivery).await.context("creating the queues")?;
            Ok(Arc::new(SqsQueue::connect(&sqs).await?))
        }
    }
}

/// The same queue, surely there, named by its URL.
async fn created(config: &SqsConfig, redelivery: Redelivery) -> anyhow::Result<SqsConfig> {
    let client = client(config.endpoint_url.as_deref(), config.region.as_deref()).await?;
    let name = config.queue_url.rsplit('/').next().unwrap_or(&config.queue_url);
    let urls = create_queues(&client, name, redelivery).await?;
    Ok(SqsConfig {
        queue_url: urls.queue_url,
        dead_letter_queue_url: Some(urls.dead_letter_queue_url),
        ..config.clone()
    })
}
