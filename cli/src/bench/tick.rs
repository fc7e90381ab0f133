//! A tick over many integrations, one in ten of them due: making the runs, and sending the messages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use job_generator::{Generator, Settings, send_due, start_due};
use shared::clock::Clock;
use shared::config::QueueConfig;
use shared::domain::Tick;
use shared::keyring::Keyring;
use shared::queue::memory::MemoryQueue;
use shared::queue::sqs::SqsConfig;
use shared::queue::{self, Queue};
use shared::sdk::{Integration, Registry};
use shared::vault::Vault;

use super::figures::{Aim, Figure, Measured};
use super::place::Place;
use super::seed;
use super::silence::Silence;
use super::size::Size;

const VISIBILITY: Duration = Duration::from_secs(60);

pub(super) async fn to_memory(place: &Place) -> anyhow::Result<Measured> {
    measure(place, Arc::new(MemoryQueue::new(Clock::System))).await
}

pub(super) async fn to_postgres(place: &Place) -> anyhow::Result<Measured> {
    let config = QueueConfig::Postgres { visibility: VISIBILITY };
    measure(place, queue::connect(&config, &place.store).await?).await
}

/// An emulator is no SQS; this says what sending costs us.
pub(super) async fn to_sqs(place: &Place) -> anyhow::Result<Measured> {
    let endpoint_url = place.sqs_endpoint_url.clone().context("AWS_ENDPOINT_URL_SQS is not set")?;
    let sqs = SqsConfig {
        queue_url: format!("millrace-bench-{}", std::process::id()),
        dead_letter_queue_url: None,
        endpoint_url: Some(endpoint_url),
        region: None,
        visibility: VISIBILITY,
    };
    measure(place, queue::connect(&QueueConfig::Sqs { sqs, create: true }, &place.store).await?)
        .await
}

async fn measure(place: &Place, queue: Arc<dyn Queue>) -> anyhow::Result<Measured> {
    let settings = Settings::default();
    let tick = Tick::at(place.store.now().await?, settings.tick);
    let (pool, size) = (place.store.pool(), &place.size);
    let between = Size::TICKS_BETWEEN_CHECKS;
    seed::integrations(pool, Silence::KIND, size.integrations, tick, between).await?;
    let registry = Registry::default().with(Silence { streams: 0 });
    let vault = Vault::new(&place.store, &registry, Keyring::default());
    let generator = Generator { store: place.store.clone(), queue, registry, vault, settings };

    let meter = place.meter()?;
    let began = Instant::now();
    start_due(&generator, tick).await?;
    let made = began.elapsed();
    expect_due(place, size.due()).await?;
    let began = Instant::now();
    send_due(&generator).await?;
    let sent = began.elapsed();
    let usage = meter.read()?;
    expect_due(place, 0).await?;

    let made = Figure::new("s to make the runs", Some(Aim::AtMost(2.0))).of(made.as_secs_f64());
    let sent = Figure::new("s to send the messages", None).of(sent.as_secs_f64());
    Ok(Measured { figures: vec![made, sent], usage })
}

/// What is measured must have happened: a message is due for each run that was made, or for none.
async fn expect_due(place: &Place, expected: usize) -> anyhow::Result<()> {
    let due = place.store.outbox_backlog().await?;
    ensure!(due == expected as i64, "{due} messages are due, not {expected}");
    Ok(())
}
