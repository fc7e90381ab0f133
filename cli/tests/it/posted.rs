//! What a command has put on the queue.

use std::time::Duration;

use shared::clock::Clock;
use shared::message::Message;
use shared::queue::postgres::PostgresQueue;
use shared::queue::{Queue, Received, Redelivery};
use sqlx::PgPool;

pub(crate) fn queue(pool: &PgPool) -> PostgresQueue {
    PostgresQueue::new(pool.clone(), Clock::System, Redelivery::default())
}

/// Takes all messages off the queue.
pub(crate) async fn received(pool: &PgPool) -> Vec<Received> {
    queue(pool).receive(10, Duration::ZERO).await.unwrap()
}

/// The same, decoded.
pub(crate) async fn messages(pool: &PgPool) -> Vec<Message> {
    let received = received(pool).await;
    received.iter().map(|message| Message::decode(&message.body).unwrap()).collect()
}
