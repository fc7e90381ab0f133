//! The worker as a process of its own.

use clap::Parser;
use shared::ledger::Ledger;
use shared::service::Service;
use worker::{Args, Config, Worker, consume};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Config { service, settings } = Args::parse().check_or_exit();
    let service = Service::start(service).await?;
    if let Some(queue) = service.connect().await {
        let (store, registry) = (service.store.clone(), service.registry.clone());
        let (vault, ledger) = (service.vault.clone(), Ledger::of(store.clone()));
        let worker = Worker { store, queue, registry, vault, ledger, settings };
        consume(worker.into(), service.stop.clone()).await;
    }
    service.end().await;
    Ok(())
}
