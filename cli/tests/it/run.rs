//! `millrace run`

use std::time::Duration;

use serde_json::Value;
use shared::domain::{DelayReason, RunId};
use sqlx::PgPool;

use crate::millrace::Millrace;
use crate::story::Story;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn all_about_a_run_is_on_one_screen(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    let lease = acme.list(&[1, 2, 3]).await;
    acme.step(lease, 4).await;
    let failed = acme.give_up(lease, "404 Not Found").await;

    let millrace = Millrace::on(&pool);
    let told = millrace.run(&["run", &acme.run.to_string()]).await.ok();
    let fact = |name: &str| {
        let line = told.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line[name.len()..].trim().to_owned()
    };
    assert_eq!(fact("integration"), format!("devto {} of acme", acme.integration.id));
    assert_eq!(fact("mode"), "onboarding, asked for by cli");
    assert_eq!(fact("state"), "processing");
    assert!(fact("why").starts_with("worker-7 is working on it: 0 streams in flight, 1 to go"));
    assert_eq!(fact("streams"), "1 processed, 1 failed, 0 being stepped, 1 pending");
    assert_eq!(fact("records"), "4");
    assert_eq!(fact("requests"), "6");
    assert_eq!(fact("failed streams"), "(1 of 1)");
    assert!(fact(&failed.id.to_string()).ends_with("404 Not Found"), "{told}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn for_scripts_a_run_is_an_object(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    let lease = acme.list(&[1, 2]).await;
    acme.step(lease, 4).await;
    let failed = acme.give_up(lease, "404 Not Found").await;
    acme.finish(lease).await;

    let run: Value =
        Millrace::on(&pool).run(&["run", &acme.run.to_string(), "--json"]).await.json();
    assert_eq!(run["state"], "error");
    assert_eq!(run["why"]["reason"], "failed");
    assert_eq!(run["streams"]["processed"], 1);
    assert_eq!(run["streams"]["error"], 1);
    assert_eq!((&run["records"], &run["requests"]), (&4.into(), &6.into()));
    assert_eq!(run["failed_streams"][0]["id"], failed.id.to_string());
    assert_eq!(run["failed_streams"][0]["payload"], failed.payload);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_that_is_not_there_is_said_to_be_unknown(pool: PgPool) {
    let millrace = Millrace::on(&pool);
    let unknown = RunId::new().to_string();
    for arguments in [&["run", &unknown][..], &["run", &unknown, "--follow"]] {
        let refusal = millrace.run(arguments).await.refusal(1);
        assert_eq!(refusal, format!("error: there is no run {unknown}\n"));
    }
    millrace.run(&["run", "seven"]).await.refusal(2);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn following_a_run_through_a_pipe_prints_a_line_for_each_change(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    let mut following = Millrace::on(&pool).start(&["run", &acme.run.to_string(), "--follow"]);
    let waits = following.line().await;
    assert!(waits.contains("Z 0 of 0 streams, 0 records; pending: Its message is due"), "{waits}");

    let lease = acme.claim().await;
    assert!(following.line().await.ends_with("Z 0 of 0 streams, 0 records; processing"));
    let limited = Some(Duration::from_secs(240));
    acme.store.delay_run(lease, limited, DelayReason::RateLimit, None, 1).await.unwrap();
    let waits = following.line().await;
    let why = "; delayed, goes on in 4 min: The platform's rate limit was reached: it goes on at ";
    assert!(waits.contains(why), "{waits}");

    acme.store.continue_run(acme.run).await.unwrap();
    assert!(following.line().await.contains("; pending: "));
    let lease = acme.list(&[1, 2]).await;
    following.line_with(" 0 of 2 streams, 0 records; processing").await;
    acme.step(lease, 5).await;
    assert!(following.line().await.ends_with(" 1 of 2 streams, 5 records; processing"));
    acme.step(lease, 1).await;
    assert!(following.line().await.ends_with(" 2 of 2 streams, 6 records; processing"));
    acme.finish(lease).await;

    let (rest, ended) = following.end().await;
    assert!(rest[0].ends_with(" 2 of 2 streams, 6 records; processed"), "{rest:?}");
    assert_eq!((rest.len(), ended.code()), (1, Some(0)));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn following_a_run_goes_on_after_the_database_was_away(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    let lease = acme.list(&[1]).await;
    let (road, by_proxy) = Millrace::behind_proxy(&pool).await;
    let mut following = by_proxy.start(&["run", &acme.run.to_string(), "--follow"]);
    assert!(following.line().await.ends_with(" 0 of 1 streams, 0 records; processing"));

    road.cut().await;
    assert_eq!(following.line().await, "the database is away; looking again");
    road.restore().await;
    assert!(following.line().await.ends_with(" 0 of 1 streams, 0 records; processing"));
    acme.step(lease, 1).await;
    acme.finish(lease).await;

    let (_, ended) = following.end().await;
    assert_eq!(ended.code(), Some(0));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn following_a_run_that_ends_with_a_hole_exits_with_1(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    let lease = acme.list(&[1]).await;
    let mut following = Millrace::on(&pool).start(&["run", &acme.run.to_string(), "-f"]);
    assert!(following.line().await.ends_with(" 0 of 1 streams, 0 records; processing"));
    acme.give_up(lease, "404 Not Found").await;
    assert!(following.line().await.ends_with(" 1 of 1 streams, 1 failed, 0 records; processing"));
    acme.finish(lease).await;

    let (rest, ended) = following.end().await;
    let error = "; error: 1 of 1 streams failed; the first: comments: 404 Not Found";
    assert!(rest[0].ends_with(error), "{rest:?}");
    assert_eq!((rest.len(), ended.code()), (1, Some(1)));
}
