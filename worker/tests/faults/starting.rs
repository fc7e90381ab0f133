//! Services started before what they need is there: they wait and say for what, and go to work
//! without being started again. A wrong configuration is no reason to wait.

use std::time::Duration;

use futures_util::future::join_all;
use sandbox::devto::Community;
use sandbox::proxy::Proxy;
use sqlx::PgPool;

use crate::harness::{Launch, Service, Stage, sqs_emulator};

const SOON: Duration = Duration::from_secs(20);

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_database_that_is_away_at_the_start_is_waited_for(pool: PgPool) {
    let stage = Stage::set(pool, community()).await;
    let proxy = Proxy::to(stage.database_address()).await.expect("a proxy");
    proxy.cut().await;
    let at_proxy = |launch| stage.with_database_at(launch, proxy.addr());
    let services = start(at_proxy(stage.generator()), at_proxy(stage.worker())).await;
    until_all_miss(&services, "database").await;
    stage.connect().await;

    proxy.restore().await;
    check_at_work(&stage, &services).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_queue_that_is_away_at_the_start_is_waited_for(pool: PgPool) {
    let proxy = Proxy::to(sqs_emulator()).await.expect("a proxy");
    let stage = Stage::set_with_sqs(pool, community(), sqs_emulator(), proxy.addr()).await;
    proxy.cut().await;
    let services = start(stage.generator(), stage.worker()).await;
    until_all_miss(&services, "queue").await;
    stage.connect().await;

    proxy.restore().await;
    check_at_work(&stage, &services).await;
}

#[sqlx::test(migrations = false)]
async fn a_schema_that_is_not_there_yet_is_waited_for_and_asked_for(pool: PgPool) {
    let stage = Stage::set_without_schema(pool, community()).await;
    let services = start(stage.generator(), stage.worker()).await;
    for said in until_all_miss(&services, "database").await {
        assert!(said.contains("`millrace migrate` makes it"), "{said}");
    }

    stage.migrate().await;
    stage.connect().await;
    check_at_work(&stage, &services).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_wrong_configuration_ends_at_once_and_names_every_mistake(pool: PgPool) {
    let stage = Stage::set(pool, community()).await;
    let worker = stage
        .worker()
        .with("--runs", "none")
        .with("--streams-per-run", 0)
        .with("--lease-seconds", "a while")
        .with("--slice-seconds", 0)
        .with("--backoff-seconds", "1.5");
    let generator = stage
        .generator()
        .with("--api-address", "here")
        .with("--tick-seconds", 0)
        .with("--scheduler-lease-seconds", "soon");
    for service in [worker, generator] {
        let service = service
            .with("--database-url", "mysql://localhost/millrace")
            .with("--queue-url", "https://[")
            .with("--sqs-endpoint-url", "somewhere")
            .with("--visibility-seconds", 0)
            .with("--devto-url", "dev.to")
            .with("--devto-requests-per-second", 0)
            .with("--master-keys", "too:short")
            .with("--log-format", "xml")
            .with("--log", "shared=loud")
            .with("--admin-address", "there");
        let flags = service.flags();
        let (status, said) = service.run().await;
        assert_eq!(status.code(), Some(2), "{said}");
        for flag in flags {
            let mistakes = said.matches(&format!("error: {flag}: ")).count();
            assert_eq!(mistakes, 1, "{flag} in:\n{said}");
        }
        assert!(!said.contains("the admin port is"), "it was started:\n{said}");
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_generator_that_counts_ticks_by_another_length_is_refused(pool: PgPool) {
    let stage = Stage::set(pool, community()).await;
    let first = stage.generator().with("--tick-seconds", 30).start().await;
    first.until_api().await;

    let (status, said) = stage.generator().with("--tick-seconds", 60).run().await;

    assert_eq!(status.code(), Some(2), "{said}");
    assert!(said.contains("must be 30 as it was before on this database, not 60"), "{said}");
    let same = stage.generator().with("--tick-seconds", 30).start().await;
    same.until_api().await;
}

fn community() -> Community {
    Community::realistic(47, 20, 60)
}

async fn start(generator: Launch, worker: Launch) -> [Service; 2] {
    [generator.start().await, worker.start().await]
}

/// All live, and say what is missing; what they say.
async fn until_all_miss(services: &[Service], check: &str) -> Vec<String> {
    join_all(services.iter().map(async |service| {
        let said = service.until_missing(check, SOON).await;
        assert_eq!(service.livez().await, Some(200), "{} lives", service.name);
        said
    }))
    .await
}

async fn check_at_work(stage: &Stage, services: &[Service]) {
    join_all(services.iter().map(|service| service.until_ready(SOON))).await;
    stage.check().await;
}
