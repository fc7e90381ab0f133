//! The worker as a process of its own.

use clap::Parser;
use shared::integrations;
use shared::service::{Service, stop_on_signal};
use shared::store::Store;
use shared::telemetry::{self, Metrics};
use worker::{Args, Worker, consume};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Args::parse().check_or_exit();
    telemetry::init(config.log_format)?;
    let metrics = Metrics::install()?;
    let stop = stop_on_signal()?;
    let store = Store::connect_lazily(&config.database)?;
    let registry = integrations::registry(&config.platforms)?;

    let service = Service::start(store.clone(), config.admin_address, metrics, stop).await?;
    if let Some(queue) = service.connect(&config.queue).await {
        let worker = Worker { store, queue, registry, settings: config.settings };
        consume(worker.into(), service.stop.clone()).await;
    }
    service.end().await;
    Ok(())
}
