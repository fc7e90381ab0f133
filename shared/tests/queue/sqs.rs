//! SQS: the examination on each emulator, and what is SQS's own.
//!
//! `make test` starts the emulators and names them in `MILLRACE_TEST_SQS_ENDPOINTS`, as
//! `name=http://host:port,…`.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use futures_util::FutureExt;
use futures_util::future::join_all;
use shared::clock::Clock;
use shared::queue::sqs::{QueueUrls, SqsConfig, SqsQueue, client, create_queues};
use shared::queue::{Queue, Redelivery};
use uuid::Uuid;

use crate::examination::{self, Examinee, each_property};
use crate::gate::{Gate, Server};

struct Sqs {
    /// Of the emulator itself.
    client: Client,
    gate: Gate,
    /// Of the queue, different for each test.
    name: String,
}

impl Sqs {
    async fn at(endpoint: &str) -> Self {
        let address = endpoint.strip_prefix("http://").expect("an endpoint begins with http://");
        Self {
            client: client(Some(endpoint), None).await.expect("a client"),
            gate: Gate::before(Server::Tcp(address.trim_end_matches('/').into())).await,
            name: format!("examination-{}", Uuid::new_v4()),
        }
    }

    async fn create(&self, redelivery: Redelivery) -> QueueUrls {
        create_queues(&self.client, &self.name, redelivery).await.expect("created")
    }

    fn config(&self, queue_url: String) -> SqsConfig {
        SqsConfig {
            queue_url,
            dead_letter_queue_url: None,
            endpoint_url: Some(format!("http://{}", self.gate.address)),
            region: None,
            visibility: Redelivery::default().visibility,
        }
    }

    async fn delete_queues(&self) {
        let listed = self.client.list_queues().queue_name_prefix(&self.name).send().await;
        for url in listed.expect("listed").queue_urls() {
            self.client.delete_queue().queue_url(url).send().await.expect("deleted");
        }
    }
}

impl Examinee for Sqs {
    fn clock(&self) -> Clock {
        Clock::System
    }

    async fn open(&self, redelivery: Redelivery) -> Arc<dyn Queue> {
        let queue_url = self.create(redelivery).await.queue_url;
        let config = SqsConfig { visibility: redelivery.visibility, ..self.config(queue_url) };
        Arc::new(SqsQueue::connect(&config).await.expect("connected"))
    }

    fn go_away(&self) {
        self.gate.shut();
    }

    fn come_back(&self) {
        self.gate.open();
    }
}

/// Runs a test on all emulators at once, and removes its queues however it ends.
async fn on_each_emulator(test: impl AsyncFn(&Sqs)) {
    let endpoints = std::env::var("MILLRACE_TEST_SQS_ENDPOINTS").expect(
        "MILLRACE_TEST_SQS_ENDPOINTS is not set: run `make test`, which starts the SQS emulators",
    );
    let tests = endpoints.split(',').map(|endpoint| async {
        let (name, url) = endpoint.split_once('=').expect("an endpoint is name=url");
        let sqs = Sqs::at(url).await;
        let outcome = AssertUnwindSafe(test(&sqs)).catch_unwind().await;
        sqs.delete_queues().await;
        (name.to_owned(), outcome)
    });
    for (name, outcome) in join_all(tests).await {
        if let Err(panic) = outcome {
            eprintln!("this was on {name}");
            resume_unwind(panic);
        }
    }
}

macro_rules! examine {
    ($($property:ident)*) => {$(
        #[tokio::test]
        async fn $property() {
            on_each_emulator(async |sqs| examination::$property(sqs).await).await;
        }
    )*};
}
each_property!(examine);

#[tokio::test]
async fn a_queue_that_hangs_is_an_error_in_bounded_time() {
    on_each_emulator(async |sqs| {
        examination::a_queue_that_hangs_is_an_error_in_bounded_time(sqs, &sqs.gate).await;
    })
    .await;
}

#[tokio::test]
async fn a_receive_may_wait_for_longer_than_other_calls_may_take() {
    on_each_emulator(async |sqs| {
        let queue = sqs.open(Redelivery::default()).await;
        let received =
            queue.receive(1, Duration::from_secs(8)).await.expect("no message, no error");
        assert!(received.is_empty());
    })
    .await;
}

#[tokio::test]
async fn queues_are_created_once_and_brought_in_line() {
    on_each_emulator(async |sqs| {
        let first = sqs.create(Redelivery::default()).await;
        let longer = Duration::from_secs(90);
        let second = sqs.create(Redelivery { visibility: longer, max_receives: 3 }).await;
        assert_eq!(first, second);
        let attributes = sqs
            .client
            .get_queue_attributes()
            .queue_url(first.queue_url)
            .attribute_names("All".into())
            .send()
            .await
            .expect("asked")
            .attributes
            .expect("attributes");
        assert_eq!(attributes[&"VisibilityTimeout".into()], "90");
        let policy: serde_json::Value =
            serde_json::from_str(&attributes[&"RedrivePolicy".into()]).expect("JSON");
        assert_eq!(policy["maxReceiveCount"].to_string().trim_matches('"'), "3");
    })
    .await;
}

#[tokio::test]
async fn a_queue_can_be_given_by_its_name() {
    on_each_emulator(async |sqs| {
        sqs.create(Redelivery::default()).await;
        let config = SqsConfig {
            dead_letter_queue_url: Some(format!("{}-dead-letters", sqs.name)),
            ..sqs.config(sqs.name.clone())
        };
        let queue = SqsQueue::connect(&config).await.expect("connected");
        assert_eq!(queue.depth().await.expect("counted"), 0);
        assert_eq!(queue.dead_letters(1).await.expect("listed"), []);
    })
    .await;
}

#[tokio::test]
async fn a_queue_that_does_not_exist_is_named_in_the_error() {
    on_each_emulator(async |sqs| {
        let connected = SqsQueue::connect(&sqs.config(sqs.name.clone())).await;
        let error = connected.map(drop).expect_err("no such queue").to_string();
        assert!(
            error.contains(&format!("looking up the URL of the queue {}", sqs.name)),
            "{error}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_message_as_long_as_sqs_allows_becomes_a_dead_letter_without_its_attributes() {
    on_each_emulator(async |sqs| {
        let QueueUrls { queue_url, .. } = sqs.create(Redelivery::default()).await;
        let queue = SqsQueue::connect(&sqs.config(queue_url.clone())).await.expect("connected");
        let body = "x".repeat(1 << 20);
        let posting = sqs.client.send_message().queue_url(queue_url).message_body(&body);
        posting.send().await.expect("posted by hand");

        let received = queue.receive(1, Duration::from_secs(15)).await.expect("received");
        queue.dead_letter(&received[0], "not even JSON").await.expect("moved");
        let letters = queue.dead_letters(1).await.expect("listed");
        assert!(letters[0].body == body, "the body changed on the way");
        assert_eq!(letters[0].reason, None);
    })
    .await;
}

#[tokio::test]
async fn a_fifo_queue_is_refused() {
    on_each_emulator(async |sqs| {
        let connected = SqsQueue::connect(&sqs.config("runs.fifo".into())).await;
        let error = connected.map(drop).expect_err("a FIFO queue").to_string();
        assert!(error.contains("runs.fifo is a FIFO queue"), "{error}");
    })
    .await;
}
