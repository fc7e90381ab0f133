//! The job-generator as a process of its own.

use anyhow::Context;
use clap::Parser;
use job_generator::{Args, Config, Generator, generate};
use shared::service::Service;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Config { service, api_address, settings } = Args::parse().check_or_exit();
    let service = Service::start(service).await?;
    if let Some(queue) = service.connect().await {
        let listener = TcpListener::bind(api_address).await;
        let listener = listener.with_context(|| format!("opening the API's port {api_address}"))?;
        let (store, registry) = (service.store.clone(), service.registry.clone());
        let generator =
            Generator { store, queue, registry, vault: service.vault.clone(), settings };
        generate(generator, listener, service.stop.clone()).await?;
    }
    service.end().await;
    Ok(())
}
