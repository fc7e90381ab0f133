//! The job-generator as a process of its own.

use anyhow::Context;
use clap::Parser;
use job_generator::{Args, Generator, generate};
use shared::integrations;
use shared::service::{Service, stop_on_signal};
use shared::store::Store;
use shared::telemetry::{self, Metrics};
use tokio::net::TcpListener;

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
        let address = config.api_address;
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("opening the API's port {address}"))?;
        let generator = Generator { store, queue, registry, settings: config.settings };
        generate(generator, listener, service.stop.clone()).await?;
    }
    service.end().await;
    Ok(())
}
