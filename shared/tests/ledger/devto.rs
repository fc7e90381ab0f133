//! dev.to answers three requests a second, and we know it.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use sandbox::devto::{Community, Devto as Site, RateLimit};
use serde_json::json;
use shared::clock::Clock;
use shared::domain::{RawStream, RunMode};
use shared::integrations::devto::Devto;
use shared::ledger::Ledger;
use shared::sdk::{Access, DynRun, RawConnection, Registry};
use sqlx::PgPool;

use crate::provider::{noon, tenant, workers};

/// Steps everything there is, three streams at a time, as a worker does.
async fn onboard(site: &Site, ledger: &Ledger, number: u128, organization: &str) {
    let registry = Registry::default().with(Devto::at(&site.url()).unwrap());
    let quota = ledger.counts(shared::ledger::Spender {
        platform: "devto".into(),
        tenant: tenant(number),
        mode: RunMode::Onboarding,
        credential: String::new(),
    });
    let settings = json!({"organizations": [organization]});
    let connection = RawConnection::new(settings, Utc::now(), Access::open().counted_by(quota));
    let run: Arc<dyn DynRun> = registry.find("devto").unwrap().begin(connection).await.unwrap();
    let mut waiting = run.streams().await.unwrap();
    let mut stepping = FuturesUnordered::new();
    loop {
        while stepping.len() < 3
            && let Some(stream) = waiting.pop()
        {
            stepping.push(step(&*run, stream));
        }
        let Some(more) = stepping.next().await else { break };
        waiting.extend(more);
    }
    ledger.let_go(tenant(number), RunMode::Onboarding).await;
}

async fn step(run: &dyn DynRun, stream: RawStream) -> Vec<RawStream> {
    let output = run.process_stream(&stream).await.expect("no refusal, and no long wait");
    output.new_streams.into_iter().chain(output.next_page).collect()
}

/// It was one request after the other, and nobody waits for so long.
#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn connecting_hundreds_of_users_takes_ten_seconds_at_the_most(pool: PgPool) {
    let names: Vec<_> = (0..120).map(|number| format!("user{number}")).collect();
    let mut community = Community::empty();
    for name in &names {
        community.add_user(name, name);
    }
    let site = Site::serve(community).await.unwrap();
    let clock = Clock::standing_at(noon());
    let ledger = workers(&pool, &clock, 1).remove(0);
    let registry = Registry::default().with(Devto::at(&site.url()).unwrap());
    let quota = ledger.counts(shared::ledger::Spender {
        platform: "devto".into(),
        tenant: tenant(1),
        mode: RunMode::Check,
        credential: String::new(),
    });
    let access = Access::open().counted_by(quota);
    let connection = RawConnection::new(json!({ "users": names }), noon(), access);

    let verifying =
        tokio::spawn(async move { registry.find("devto").unwrap().verify(connection).await });
    let Clock::Turned(time) = &clock else { panic!("a clock that is turned") };
    while !verifying.is_finished() {
        if time.receiver_count() > 0 {
            clock.advance(Duration::from_millis(50));
        }
        tokio::task::yield_now().await;
    }

    verifying.await.unwrap().expect("users that are there");
    assert_eq!(site.request_count(), 30);
    let took = clock.now() - noon();
    assert!(took.num_seconds() <= 12, "{took}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn two_workers_that_onboard_at_once_are_never_refused(pool: PgPool) {
    let site = Site::serve(Community::realistic(5, 12, 20)).await.unwrap();
    let organizations = site.look(|community| {
        community.organizations().map(|it| it.username.clone()).take(2).collect::<Vec<_>>()
    });
    site.limit(RateLimit { requests: 3, per: Duration::from_secs(1) });
    let workers = workers(&pool, &Clock::System, 2);

    tokio::join!(
        onboard(&site, &workers[0], 1, &organizations[0]),
        onboard(&site, &workers[1], 2, &organizations[1]),
    );

    assert!(site.request_count() >= 10, "{}", site.request_count());
    assert_eq!(site.refused_count(), 0, "of {}", site.request_count());
}
