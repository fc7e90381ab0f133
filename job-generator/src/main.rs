//! The job-generator as a process of its own.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use job_generator::{Args, Config, Generator, Settings, agree_on_ticks, generate};
use shared::queue::Queue;
use shared::service::Service;
use tokio::net::TcpListener;
use tracing::error;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Config { service, api_address, settings } = Args::parse().check_or_exit();
    let service = Service::start(service).await?;
    let code = match service.connect().await {
        Some(queue) => work(&service, queue, api_address, settings).await?,
        None => ExitCode::SUCCESS,
    };
    service.end().await;
    Ok(code)
}

async fn work(
    service: &Service,
    queue: Arc<dyn Queue>,
    api_address: SocketAddr,
    settings: Settings,
) -> anyhow::Result<ExitCode> {
    let agreed = tokio::select! {
        () = service.stop.cancelled() => return Ok(ExitCode::SUCCESS),
        agreed = agree_on_ticks(&service.store, settings.tick) => agreed,
    };
    // A wrong configuration like any other; but only the database knew.
    if let Err(other) = agreed {
        error!("{other}");
        return Ok(ExitCode::from(2));
    }
    let listener = TcpListener::bind(api_address).await;
    let listener = listener.with_context(|| format!("opening the API's port {api_address}"))?;
    let (store, registry) = (service.store.clone(), service.registry.clone());
    let generator = Generator { store, queue, registry, vault: service.vault.clone(), settings };
    generate(generator, listener, service.stop.clone()).await?;
    Ok(ExitCode::SUCCESS)
}
