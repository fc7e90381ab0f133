//! Keeping a lease, and what a worker does when it cannot.

use std::sync::Arc;
use std::time::Duration;

use sandbox::proxy::Proxy;
use shared::domain::{RunState, StreamState};
use shared::ledger::Ledger;
use shared::store::Store;
use sqlx::PgPool;
use sqlx::postgres::{PgPoolOptions, PgSslMode};
use worker::{Settings, Shutdown, Worker};

use crate::stage::Stage;
use crate::toy::Platform;

/// By the worker's own clock, which is not turned.
const SHORT: Duration = Duration::from_millis(300);

/// A worker with a short lease, and the road between it and the database.
async fn worker_behind_proxy(stage: &Stage) -> (Arc<Worker>, Proxy) {
    let database = stage.store.pool().connect_options();
    let server = (database.get_host(), database.get_port());
    let server = tokio::net::lookup_host(server).await.unwrap().next().unwrap();
    let road = Proxy::to(server).await.unwrap();
    let database = (*database).clone().ssl_mode(PgSslMode::Disable);
    let database = database.host("127.0.0.1").port(road.addr().port());
    // Longer than the test: a database that is silent is no error.
    let patience = Duration::from_secs(3600);
    let pool = PgPoolOptions::new().acquire_timeout(patience).connect_lazy_with(database);
    let Worker { queue, registry, vault, settings, .. } = &*stage.worker;
    let settings = Settings { lease: SHORT, ..settings.clone() };
    let store = Store::new(pool, stage.clock.clone());
    let (queue, registry, vault) = (Arc::clone(queue), registry.clone(), vault.clone());
    let ledger = Ledger::of(store.clone());
    (Arc::new(Worker { store, queue, registry, vault, ledger, settings }), road)
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_worker_whose_database_is_silent_lets_go_of_its_page_when_its_lease_ends(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    stage.sweep().await;
    let (worker, road) = worker_behind_proxy(&stage).await;
    let work = stage.start_page_by(&worker, &platform, &Shutdown::default()).await;

    road.black_hole().await;
    // No answer comes, and no error either.
    platform.until_let_go().await;

    road.restore().await;
    work.await.unwrap();
    let stream = stage.streams(run).await.remove(0);
    assert_eq!((stream.state, stream.attempts, stream.crashes), (StreamState::Pending, 0, 0));
    platform.open();
    stage.deliver().await;
    assert_eq!(stage.run(run).await.state, RunState::Processed);
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_lease_is_kept_for_as_long_as_a_page_takes(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    stage.sweep().await;
    let (worker, road) = worker_behind_proxy(&stage).await;
    let work = stage.start_page_by(&worker, &platform, &Shutdown::default()).await;

    // Longer than the lease, by everybody's clock.
    let until = stage.run(run).await.lease_until;
    stage.clock.advance(SHORT * 2);
    while stage.run(run).await.lease_until == until {
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.sweep().await, 0, "nobody is told of a run that is held");

    platform.open();
    work.await.unwrap();
    assert_eq!(stage.run(run).await.state, RunState::Processed);
    drop(road);
}
