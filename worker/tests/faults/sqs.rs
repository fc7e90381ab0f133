//! SQS going away: refused, silent, or with nothing left of its queues. What was promised meanwhile
//! is kept, and what is under way goes on, since the queue is only a hint.

use std::time::Duration;

use futures_util::future::join_all;
use sandbox::devto::Community;
use sandbox::proxy::Proxy;
use sandbox::sqs::Emulator;
use shared::domain::{RunMode, RunState};
use sqlx::PgPool;
use tokio::task::spawn_blocking;

use crate::harness::{Connected, Service, Stage, Stopwatch, audit, pause, sqs_emulator, until};

const SOON: Duration = Duration::from_secs(20);
/// What the documentation promises.
const IN_TIME: Duration = Duration::from_secs(10);
/// What SQS and its emulators call it.
const NO_SUCH_QUEUE: [&str; 2] = ["NonExistentQueue", "QueueDoesNotExist"];

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_queue_that_is_away_costs_time_and_nothing_else(pool: PgPool) {
    let mut watch = Stopwatch::start();
    let proxy = Proxy::to(sqs_emulator()).await.expect("a proxy");
    let stage = Stage::set_with_sqs(pool, community(), sqs_emulator(), proxy.addr()).await;
    let services = start(&stage).await;
    let onboarded = until_onboarded(&stage).await;
    stage.devto.set_latency(Duration::from_millis(100));
    let under_way = stage.connect().await.onboarding;
    stage.devto.clear_requests();
    stage.devto.until_requested("/api/comments").await;
    watch.part("starting");

    proxy.cut().await;
    until_all_miss_the_queue(&services).await;
    let pages = stage.devto.request_count();
    let check = stage.ask_for_run(services[0].until_api().await, &onboarded, RunMode::Check).await;
    pause(Duration::from_secs(4)).await;
    assert!(stage.devto.request_count() > pages, "what is under way goes on");
    let away = watch.part("away");
    for service in &services {
        let complaints = service.printed().matches("receiving:").count() as u64;
        assert!(complaints <= away.as_secs() + 2, "{} asked {complaints} times", service.name);
    }
    assert_eq!(stage.run(check).await.started_at, None, "nobody can have heard of it");

    proxy.restore().await;
    join_all(services.iter().map(|service| service.until_ready(SOON))).await;
    stage.devto.set_latency(Duration::ZERO);
    stage.check().await;
    assert_eq!(stage.run(under_way).await.attempts, 0);
    watch.part("the rest");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_queue_that_hangs_is_noticed_and_asked_again(pool: PgPool) {
    let mut watch = Stopwatch::start();
    let proxy = Proxy::to(sqs_emulator()).await.expect("a proxy");
    let stage = Stage::set_with_sqs(pool, community(), sqs_emulator(), proxy.addr()).await;
    let services = start(&stage).await;
    let onboarded = until_onboarded(&stage).await;

    proxy.black_hole().await;
    until_all_miss_the_queue(&services).await;
    stage.ask_for_run(services[0].until_api().await, &onboarded, RunMode::Check).await;
    // SQS itself ends a receive after twenty seconds, so that is how long a good one may be silent.
    for worker in &services[1..] {
        worker.until_printed("receiving:", Duration::from_secs(35)).await;
    }
    watch.part("hanging");

    proxy.restore().await;
    stage.check().await;
    join_all(services.iter().map(|service| service.until_ready(SOON))).await;
    watch.part("the rest");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn services_told_to_stop_while_the_queue_hangs_end_in_time(pool: PgPool) {
    let proxy = Proxy::to(sqs_emulator()).await.expect("a proxy");
    let stage = Stage::set_with_sqs(pool, community(), sqs_emulator(), proxy.addr()).await;
    stage.devto.set_latency(Duration::from_millis(200));
    let services = start(&stage).await;
    let run = stage.connect().await.onboarding;
    stage.devto.until_requested("/api/comments").await;

    proxy.black_hole().await;
    until_all_miss_the_queue(&services).await;
    join_all(services.into_iter().map(|service| service.terminate(IN_TIME))).await;

    let handed_back = stage.run(run).await;
    assert_eq!((handed_back.state, handed_back.attempts), (RunState::Pending, 0));
    stage.devto.set_latency(Duration::ZERO);
    proxy.restore().await;
    let _services = start(&stage).await;
    stage.check().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_worker_for_whom_alone_the_queue_hangs_keeps_its_run(pool: PgPool) {
    let mut watch = Stopwatch::start();
    let proxy = Proxy::to(sqs_emulator()).await.expect("a proxy");
    let stage = Stage::set_with_sqs(pool, community(), sqs_emulator(), sqs_emulator()).await;
    stage.devto.set_latency(Duration::from_millis(200));
    let _generator = stage.generator().start().await;
    let behind_proxy = format!("http://{}", proxy.addr());
    let hanging = stage.worker().with("--sqs-endpoint-url", behind_proxy).start().await;
    let run = stage.connect().await.onboarding;
    stage.devto.until_requested("/api/").await;
    let _other = stage.worker().start().await;

    proxy.black_hole().await;
    hanging.until_missing("queue", SOON).await;
    // Three leases long.
    pause(Duration::from_secs(6)).await;
    watch.part("hanging");
    proxy.restore().await;
    stage.devto.set_latency(Duration::ZERO);
    stage.check().await;

    assert_eq!(audit::holders(stage.pool(), run).await, [hanging.name.as_str()]);
    watch.part("the rest");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_queue_that_was_deleted_is_named_and_used_again_once_it_is_there(pool: PgPool) {
    let mut watch = Stopwatch::start();
    let emulator = spawn_blocking(Emulator::start).await.expect("no panic");
    let mut emulator = emulator.expect("an emulator");
    let sqs = emulator.endpoint().trim_start_matches("http://").parse().expect("an address");
    let stage = Stage::set_with_sqs(pool, community(), sqs, sqs).await;
    let services = start(&stage).await;
    let onboarded = until_onboarded(&stage).await;
    watch.part("starting");

    // It keeps everything in memory, so its queues are gone when it comes back.
    let restarted = spawn_blocking(move || {
        emulator.stop()?;
        emulator.start_again()?;
        anyhow::Ok(emulator)
    });
    let _emulator = restarted.await.expect("no panic").expect("an emulator");
    // What asked before it was back may have had no answer, and is told first.
    for service in &services {
        let is_named = |said: &str| NO_SUCH_QUEUE.iter().any(|name| said.contains(name));
        service.until_missing_because("queue", SOON, is_named).await;
    }
    let api = services[0].until_api().await;
    stage.ask_for_run(api, &onboarded, RunMode::Check).await;

    stage.hints.make_again().await;
    join_all(services.iter().map(|service| service.until_ready(SOON))).await;
    stage.check().await;
    watch.part("the rest");
}

fn community() -> Community {
    Community::realistic(19, 60, 200)
}

/// A generator, which is the first, and two workers.
async fn start(stage: &Stage) -> Vec<Service> {
    let mut services = vec![stage.generator().start().await];
    services.push(stage.worker().start().await);
    services.push(stage.worker().start().await);
    services
}

async fn until_onboarded(stage: &Stage) -> Connected {
    let connected = stage.connect().await;
    until("the first onboarding to end", SOON, async || {
        stage.run(connected.onboarding).await.processed_at
    })
    .await;
    connected
}

async fn until_all_miss_the_queue(services: &[Service]) {
    join_all(services.iter().map(async |service| {
        service.until_missing("queue", SOON).await;
        assert_eq!(service.livez().await, Some(200), "{} lives", service.name);
    }))
    .await;
}
