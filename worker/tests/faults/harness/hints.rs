//! The queue that the processes of a stage share, and what a test does to it by hand.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use shared::clock::Clock;
use shared::domain::RunId;
use shared::message::Message;
use shared::queue::postgres::PostgresQueue;
use shared::queue::sqs::{SqsConfig, SqsQueue, client, create_queues};
use shared::queue::{DeadLetter, Outgoing, Queue, Redelivery};
use sqlx::PgPool;
use uuid::Uuid;

use super::process::Launch;
use super::until::until_good;

pub(crate) struct Hints {
    queue: Arc<dyn Queue>,
    place: Place,
}

enum Place {
    Database(PgPool),
    Sqs {
        client: Client,
        name: String,
        queue_url: String,
        /// Where processes look for it.
        proxy: SocketAddr,
    },
}

/// The first of the SQS emulators that the test runner has started.
pub(crate) fn sqs_emulator() -> SocketAddr {
    let named = std::env::var("MILLRACE_TEST_SQS_ENDPOINTS").expect(
        "MILLRACE_TEST_SQS_ENDPOINTS is not set: run `make test`, which starts the SQS emulators",
    );
    let first = named.split(',').next().and_then(|named| named.split_once("=http://"));
    let (_, address) = first.expect("an endpoint is name=http://address");
    address.parse().expect("an address")
}

/// Asks again what an emulator on a busy machine had no time for.
async fn patiently<T, E: Debug>(mut ask: impl AsyncFnMut() -> Result<T, E>) -> T {
    let asking = async || ask().await.map_err(|error| format!("{error:?}"));
    until_good("the queue to answer", Duration::from_secs(30), asking).await
}

impl Hints {
    pub(super) fn in_postgres(pool: &PgPool) -> Self {
        let queue = PostgresQueue::new(pool.clone(), Clock::System, Redelivery::default());
        Self { queue: Arc::new(queue), place: Place::Database(pool.clone()) }
    }

    /// A new queue of an emulator; processes reach it by way of `proxy`.
    pub(super) async fn in_sqs(emulator: SocketAddr, proxy: SocketAddr) -> Self {
        let endpoint = format!("http://{emulator}");
        let client = client(Some(&endpoint), None).await.expect("a client");
        let name = format!("faults-{}", Uuid::new_v4());
        let urls = patiently(async || create_queues(&client, &name, Redelivery::default()).await);
        let urls = urls.await;
        let config = SqsConfig {
            queue_url: urls.queue_url.clone(),
            dead_letter_queue_url: Some(urls.dead_letter_queue_url),
            endpoint_url: Some(endpoint),
            region: None,
            visibility: Redelivery::default().visibility,
        };
        let queue = Arc::new(SqsQueue::connect(&config).await.expect("the queue"));
        let queue_url = urls.queue_url;
        Self { queue, place: Place::Sqs { client, name, queue_url, proxy } }
    }

    /// Makes the queues of an emulator that has forgotten them.
    pub(crate) async fn make_again(&self) {
        if let Place::Sqs { client, name, .. } = &self.place {
            patiently(async || create_queues(client, name, Redelivery::default()).await).await;
        }
    }

    /// Says it to a process that is about to be started.
    pub(super) fn told_to(&self, launch: Launch) -> Launch {
        match &self.place {
            Place::Database(_) => launch.with("--queue-url", "postgres"),
            Place::Sqs { queue_url, proxy, .. } => launch
                .with("--queue-url", queue_url)
                .with("--sqs-endpoint-url", format!("http://{proxy}")),
        }
    }

    /// Another message about a run, as if one had been sent twice and held up on its way.
    pub(crate) async fn send(&self, run: RunId, delay: Duration) {
        let body = Message::Process { run, stream: None }.encode();
        let message = Outgoing { body, group: "again".to_owned(), delay, trace: None };
        patiently(async || self.queue.send(std::slice::from_ref(&message)).await).await;
    }

    /// Loses every message, also those that somebody is working on.
    pub(crate) async fn lose_all(&self) {
        match &self.place {
            Place::Database(pool) => {
                let lose = sqlx::query("delete from queue_messages");
                lose.execute(pool).await.expect("they are lost");
            }
            Place::Sqs { client, queue_url, .. } => {
                patiently(async || client.purge_queue().queue_url(queue_url).send().await).await;
            }
        }
    }

    pub(super) async fn dead_letters(&self) -> Vec<DeadLetter> {
        patiently(async || self.queue.dead_letters(10).await).await
    }

    /// How many messages there are, visible or not.
    pub(super) async fn count(&self) -> Result<i64, String> {
        match &self.place {
            Place::Database(pool) => {
                let count = "select count(*) from queue_messages where dead_since is null";
                let count = sqlx::query_scalar(count).fetch_one(pool).await;
                count.map_err(|error| error.to_string())
            }
            Place::Sqs { client, queue_url, .. } => {
                let ask = client.get_queue_attributes().queue_url(queue_url);
                let answer = ask.attribute_names(QueueAttributeName::All).send().await;
                let attributes = answer.map_err(|error| format!("{error:?}"))?.attributes;
                let counts = attributes.unwrap_or_default().into_iter();
                let counts = counts
                    .filter(|(name, _)| name.as_str().starts_with("ApproximateNumberOfMessages"));
                Ok(counts.filter_map(|(_, count)| count.parse::<i64>().ok()).sum())
            }
        }
    }
}
