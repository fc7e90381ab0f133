//! A platform that refuses, fails, lies and never ends: each with its documented outcome, and never
//! with more requests than that takes.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use sandbox::devto::{ALWAYS, Community, Devto, Fault, RateLimit, RetryAfter, StatusCode};
use shared::domain::{DelayReason, IntegrationStatus, Run, RunId, RunState};
use sqlx::PgPool;

use crate::harness::{Stage, Stopwatch, until};

const SOON: Duration = Duration::from_secs(40);

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn each_way_to_say_how_long_to_wait_is_understood_and_costs_no_attempt(pool: PgPool) {
    let stage = Stage::set(pool, Community::realistic(37, 8, 20)).await;
    let _generator = stage.generator().start().await;
    let _worker = stage.worker().start().await;

    let in_hours = Utc::now() + TimeDelta::hours(2);
    waits(&stage, RetryAfter::Date(in_hours), 7_200).await;
    waits(&stage, RetryAfter::EpochSeconds(in_hours.timestamp()), 7_200).await;
    waits(&stage, RetryAfter::Seconds(30), 30).await;
    // Said so that nobody understands it, or not said: a minute.
    waits(&stage, RetryAfter::Nonsense, 60).await;
    waits(&stage, RetryAfter::Missing, 60).await;
    stage.check().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_site_that_admits_few_requests_a_second_is_asked_few_too_many(pool: PgPool) {
    let mut watch = Stopwatch::start();
    let stage = Stage::set(pool, Community::realistic(41, 25, 60)).await;
    let limit = RateLimit { requests: 15, per: Duration::from_secs(2) };
    stage.devto.limit(limit);
    let _generator = stage.generator().start().await;
    let _workers = (stage.worker().start().await, stage.worker().start().await);
    let run = stage.connect().await.onboarding;
    stage.check().await;
    watch.part("an onboarding within the limit");

    let (pages, refused) =
        (stage.count("integration_streams").await as u64, stage.devto.refused_count());
    println!("{pages} pages, {refused} requests refused");
    let windows = pages / u64::from(limit.requests) + 1;
    assert!(refused > 0, "the limit was never met");
    assert!(refused <= 3 * windows, "{refused} requests were refused in {windows} windows");
    assert_eq!(stage.devto.request_count(), pages + refused);
    assert_eq!(burned(&stage, run).await, 0);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn failures_that_pass_are_retried_and_everything_is_read(pool: PgPool) {
    let mut watch = Stopwatch::start();
    let stage = Stage::set(pool, Community::realistic(43, 40, 150)).await;
    let failures = [
        (2, Fault::Status(StatusCode::INTERNAL_SERVER_ERROR)),
        (1, Fault::Status(StatusCode::BAD_GATEWAY)),
        (1, Fault::TruncatedJson),
        (1, Fault::WrongJson),
        (1, Fault::BreakOff),
        // Asked again at once, on another connection: that is no failure of the page.
        (1, Fault::CloseConnection),
    ];
    for (article, (times, fault)) in commented_articles(&stage.devto).iter().zip(failures) {
        stage.devto.misbehave(article, times, fault);
    }
    let _generator = stage.generator().start().await;
    let _worker = stage.worker().start().await;
    let run = stage.connect().await.onboarding;
    stage.check().await;
    watch.part("an onboarding with failures");

    let pages = stage.count("integration_streams").await as u64;
    assert_eq!(burned(&stage, run).await, 6);
    assert_eq!(stage.devto.request_count(), pages + 6 + 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn failures_that_stay_end_in_a_hole_that_can_be_filled(pool: PgPool) {
    let mut watch = Stopwatch::start();
    let stage = Stage::set(pool, Community::realistic(43, 40, 150)).await;
    let elsewhere = Devto::serve(Community::empty()).await.expect("another host");
    let articles = commented_articles(&stage.devto);
    stage.devto.misbehave(&articles[0], ALWAYS, Fault::Status(StatusCode::INTERNAL_SERVER_ERROR));
    stage.devto.misbehave(&articles[1], ALWAYS, Fault::Redirect(elsewhere.url()));
    stage.devto.misbehave(&articles[2], ALWAYS, Fault::HugeBody(40 * 1024 * 1024));
    // The list that begins anew for ever; its first page is a good one.
    stage.devto.misbehave("/api/articles?username", ALWAYS, Fault::RepeatedPage);
    let _generator = stage.generator().start().await;
    let _worker = stage.worker().start().await;
    let connected = stage.connect().await;
    let ended = until_ended(&stage, connected.onboarding).await;
    watch.part("an onboarding with holes");

    assert_eq!(ended.state, RunState::Error);
    let asked = articles[..3].iter().map(|article| asked_for(&stage.devto, article));
    assert_eq!(asked.collect::<Vec<_>>(), [5, 5, 1], "five attempts, or one that is final");
    let (organizations, users) = stage.devto.look(who_publishes);
    assert_eq!(asked_for(&stage.devto, "page=2&per_page"), organizations + users * 5);
    assert_eq!(elsewhere.request_count(), 0, "another host was asked");
    let failed = stage.count("integration_streams where state = 'error'").await;
    assert_eq!(failed as usize, 3 + users, "their siblings went on");
    let integration = stage.store.integration(connected.integration).await.expect("an answer");
    let integration = integration.expect("the integration is there");
    assert_eq!((integration.status, integration.onboarded_at), (IntegrationStatus::Active, None));

    stage.devto.behave();
    stage.store.continue_run(connected.onboarding).await.expect("it is continued");
    stage.check().await;
    watch.part("the holes filled");
}

/// One 429 in an onboarding: it waits so many seconds, and is then continued by hand.
async fn waits(stage: &Stage, said: RetryAfter, seconds: i64) {
    stage.devto.clear_requests();
    stage.devto.misbehave("/api/comments", 1, Fault::RateLimited(said));
    let run = stage.connect().await.onboarding;
    let waiting = until("the run to wait", SOON, async || {
        let run = stage.run(run).await;
        run.delayed_until.map(|until| (until, run))
    });
    let (until, waiting) = waiting.await;
    let asked = stage.devto.request_count();
    let wait = (until - Utc::now()).num_seconds();
    println!("{said:?}: waits {wait} s");
    // Some of it has passed on a busy machine; dates have whole seconds.
    assert!((seconds - 15..=seconds + 1).contains(&wait), "{said:?} is waited for {wait} s");
    assert_eq!((waiting.delay_reason, waiting.lease_holder), (Some(DelayReason::RateLimit), None));

    assert_eq!(stage.devto.request_count(), asked, "it asks while it waits");
    stage.store.continue_run(run).await.expect("it is continued");
    assert_eq!(until_ended(stage, run).await.state, RunState::Processed);
    assert_eq!(burned(stage, run).await, 0);
}

async fn until_ended(stage: &Stage, run: RunId) -> Run {
    until("the run to end", SOON, async || {
        let run = stage.run(run).await;
        run.state.is_finished().then_some(run)
    })
    .await
}

/// How many attempts were counted against the platform.
async fn burned(stage: &Stage, run: RunId) -> i64 {
    let burned = sqlx::query_scalar(
        "select coalesce(sum(attempts), 0)::bigint from integration_streams where run_id = $1",
    );
    burned.bind(run).fetch_one(stage.pool()).await.expect("a sum")
}

/// What asks for the comments of one article or another.
fn commented_articles(devto: &Devto) -> Vec<String> {
    devto.look(|community| {
        let commented = community
            .articles()
            .filter(|article| community.comments().any(|comment| comment.article == article.id));
        commented.map(|article| format!("/api/comments?a_id={}", article.id.0)).collect()
    })
}

fn asked_for(devto: &Devto, what: &str) -> usize {
    devto.requests().iter().filter(|request| request.asks_for(what)).count()
}

/// How many organizations have articles, and how many users have articles of their own.
fn who_publishes(community: &Community) -> (usize, usize) {
    let organizations: BTreeSet<_> =
        community.articles().filter_map(|article| article.organization).collect();
    let alone = community.articles().filter(|article| article.organization.is_none());
    let users: BTreeSet<_> = alone.map(|article| article.author).collect();
    (organizations.len(), users.len())
}
