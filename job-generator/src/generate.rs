//! All that a generator does, side by side: the beat, and the HTTP API.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::api::{Api, router};
use crate::{Generator, tick};

/// How long requests under way may take to be answered once we are to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// Beats and serves until `stop`, then answers what is under way.
pub async fn generate(
    generator: Generator,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let address = listener.local_addr().context("asking for the API's address")?;
    let api = Api {
        store: generator.store.clone(),
        queue: Arc::clone(&generator.queue),
        registry: generator.registry.clone(),
        vault: generator.vault.clone(),
        tick: generator.settings.tick,
    };
    info!("the API is http://{address}");
    let vault = generator.vault.clone();
    let beating = tokio::spawn(tick(generator, stop.clone()));
    let serving =
        axum::serve(listener, router(api)).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        served = serving.into_future() => served.context("serving the API")?,
        () = late(&stop) => info!("requests under way are let go"),
    }
    beating.await.context("the beat failed")?;
    vault.close().await;
    Ok(())
}

async fn late(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(FAREWELL).await;
}
