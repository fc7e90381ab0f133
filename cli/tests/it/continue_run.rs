//! `millrace continue-run`

use shared::domain::{RequestedBy, RunId, RunMode, RunState};
use shared::message::Message;
use sqlx::PgPool;

use crate::millrace::Millrace;
use crate::posted::messages;
use crate::story::Story;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_failed_is_put_back_and_the_run_gets_one_message(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    acme.end_with_a_hole().await;
    let run = acme.run.to_string();

    let posted = Millrace::on(&pool).run(&["continue-run", "-r", &run]).await.ok();

    assert_eq!(posted, "posted: 1 of 1 runs\n");
    assert_eq!(messages(&pool).await, [Message::Process { run: acme.run, stream: None }]);
    let counts = acme.store.count_streams(acme.run).await.unwrap();
    assert_eq!((counts.processed, counts.pending, counts.failed), (1, 1, 0));
    // Nothing is left for the sweep to send.
    assert_eq!(acme.store.due_messages(10).await.unwrap(), []);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_beside_a_live_one_stays_as_it_is_and_the_others_go_on(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    acme.end_with_a_hole().await;
    let live = acme.store.request_run(acme.integration.id, RunMode::Check, RequestedBy::Cli).await;
    let live = live.unwrap().unwrap().run;
    let other = Story::of(acme.store.clone(), acme.tenant.clone()).await;
    let both = format!("{},{}", acme.run, other.run);

    let answer = Millrace::on(&pool).run(&["continue-run", "--run", &both]).await;

    assert_eq!(answer.stdout, "posted: 1 of 2 runs\n");
    let refusal = answer.refusal(1);
    assert!(refusal.contains(&format!("run {live} of its integration is live")), "{refusal}");
    let ended = acme.store.run(acme.run).await.unwrap().unwrap();
    assert_eq!(ended.state, RunState::Error);
    assert_eq!(messages(&pool).await, [Message::Process { run: other.run, stream: None }]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_unknown_run_is_named_and_nothing_is_changed(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    acme.end_with_a_hole().await;
    let unknown = RunId::new();
    let both = format!("{},{unknown}", acme.run);

    let refusal = Millrace::on(&pool).run(&["continue-run", "-r", &both]).await.refusal(1);

    assert_eq!(refusal, format!("error: there is no run {unknown}; nothing was posted\n"));
    assert_eq!(acme.store.run(acme.run).await.unwrap().unwrap().state, RunState::Error);
    assert_eq!(messages(&pool).await, []);
}
