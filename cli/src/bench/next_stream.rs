//! What the next stream of a run costs, in time and in blocks of the database: one is taken, and
//! its page, which brings nothing, is committed. A million finished streams beside it, in the same
//! run or in another, must not matter.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;
use shared::domain::RawStream;
use shared::sdk::Integration;
use shared::store::{Claimed, Page, PageSource, Store};
use sqlx::{Connection, PgConnection};

use super::figures::{Figure, Measured, Spread};
use super::millrace::connect;
use super::place::Place;
use super::seed;
use super::silence::Silence;

/// Nobody else is there to take the run over.
const LEASE: Duration = Duration::from_secs(3600);
/// A server process that was told to end does so in a moment.
const LOOK: Duration = Duration::from_millis(10);

pub(super) async fn alone(place: &Place) -> anyhow::Result<Measured> {
    let run = claimed(place).await?;
    list(place, &run).await?;
    place.store.pool().close().await;
    let meter = place.meter()?;
    let figures = step(place, &run, "in an empty database").await?;
    Ok(Measured { figures, usage: meter.read()? })
}

pub(super) async fn in_history(place: &Place) -> anyhow::Result<Measured> {
    let (old, new) = (claimed(place).await?, claimed(place).await?);
    let history = place.size.history;
    seed::finished_streams(place.store.pool(), old.lease.run_id, history).await?;
    list(place, &old).await?;
    list(place, &new).await?;
    place.store.pool().close().await;
    let meter = place.meter()?;
    let mut figures = step(place, &new, "beside a history in another run").await?;
    figures.extend(step(place, &old, "beside a history in its own run").await?);
    Ok(Measured { figures, usage: meter.read()? })
}

async fn claimed(place: &Place) -> anyhow::Result<Claimed> {
    let (_, connected) = connect(&place.store, Silence::KIND).await?;
    let claimed = place.store.claim_run(connected.requested.run, "bench", LEASE).await?;
    claimed.context("a run that was just made is there to be claimed")
}

async fn list(place: &Place, run: &Claimed) -> anyhow::Result<()> {
    let streams: Vec<RawStream> = (0..place.size.next_streams)
        .map(|number| RawStream {
            name: "nothing".to_owned(),
            payload: json!({"stream": "nothing", "number": number}),
        })
        .collect();
    Ok(place.store.list_streams(run.lease, &streams, 0).await?)
}

/// Steps the run's streams, one after the other. Nobody else is connected, so all blocks that the
/// database touches meanwhile are touched for this.
async fn step(place: &Place, run: &Claimed, where_: &str) -> anyhow::Result<Vec<Figure>> {
    let touched_before = blocks_touched(place).await?;
    let store = place.single_file()?;
    let mut took = Vec::with_capacity(place.size.next_streams);
    for _ in 0..place.size.next_streams {
        let began = Instant::now();
        step_one(&store, run).await?;
        took.push(began.elapsed().as_secs_f64() * 1e6);
    }
    store.pool().close().await;
    let touched = blocks_touched(place).await? - touched_before;
    let blocks = touched as f64 / took.len() as f64;
    let median = Spread::of(took).context("there are streams to step")?.median;
    Ok(vec![
        Figure::new(&format!("µs {where_}"), None).of(median),
        Figure::new(&format!("blocks {where_}"), None).of(blocks),
    ])
}

async fn step_one(store: &Store, run: &Claimed) -> anyhow::Result<()> {
    let taken = store.take_streams(run.lease, 1, false).await?;
    ensure!(taken.len() == 1, "{} streams were taken, not one", taken.len());
    let source = PageSource {
        lease: run.lease,
        stream: taken[0].id,
        tenant: run.tenant_id,
        integration: run.integration_id,
    };
    Ok(store.commit_page(source, &Page::default()).await?)
}

/// Blocks that the database has touched, in memory or not, by connections that have ended: each
/// counts its own, and reports it at its end.
async fn blocks_touched(place: &Place) -> anyhow::Result<i64> {
    let mut connection = place.plain_connection().await?;
    while others_are_connected(&mut connection).await? {
        tokio::time::sleep(LOOK).await;
    }
    let blocks = sqlx::query_scalar(
        "select blks_hit + blks_read from pg_stat_database where datname = current_database()",
    )
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    Ok(blocks)
}

async fn others_are_connected(connection: &mut PgConnection) -> anyhow::Result<bool> {
    let others = sqlx::query_scalar(
        "select exists (
            select from pg_stat_activity
            where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
        )",
    );
    Ok(others.fetch_one(connection).await?)
}
