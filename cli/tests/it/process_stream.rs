//! `millrace process-stream`

use shared::domain::{RequestedBy, RunMode, StreamId, StreamState};
use shared::message::Message;
use sqlx::PgPool;

use crate::millrace::Millrace;
use crate::posted::messages;
use crate::story::Story;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stream_is_put_back_whatever_became_of_it_and_its_siblings_stay(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    acme.end_with_a_hole().await;
    let processed = acme.streams(StreamState::Processed).await[0];

    let millrace = Millrace::on(&pool);
    let posted = millrace.run(&["process-stream", "-s", &processed.to_string()]).await.ok();

    assert_eq!(posted, "posted: 1 of 1 streams\n");
    // Naming the stream would step it again, if the sweep's message had it stepped before.
    assert_eq!(messages(&pool).await, [Message::Process { run: acme.run, stream: None }]);
    assert_eq!(acme.streams(StreamState::Pending).await, [processed]);
    assert_eq!(acme.streams(StreamState::Error).await.len(), 1);
    assert_eq!(acme.store.due_messages(10).await.unwrap(), []);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn several_streams_of_a_run_share_a_message(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    acme.end_with_a_hole().await;
    let mut both = acme.streams(StreamState::Processed).await;
    both.extend(acme.streams(StreamState::Error).await);
    let ids = format!("{},{}", both[0], both[1]);

    Millrace::on(&pool).run(&["process-stream", "-s", &ids]).await.ok();

    assert_eq!(messages(&pool).await, [Message::Process { run: acme.run, stream: None }]);
    both.sort();
    assert_eq!(acme.streams(StreamState::Pending).await, both);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stream_beside_a_live_run_is_not_stepped(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    acme.end_with_a_hole().await;
    let asked = acme.store.request_run(acme.integration.id, RunMode::Check, RequestedBy::Cli).await;
    let live = asked.unwrap().unwrap().run;
    let failed = acme.streams(StreamState::Error).await[0].to_string();

    let answer = Millrace::on(&pool).run(&["process-stream", "-s", &failed]).await;

    assert_eq!(answer.stdout, "posted: 0 of 1 streams\n");
    let refusal = answer.refusal(1);
    assert!(refusal.contains(&format!("run {live} of its integration is live")), "{refusal}");
    assert_eq!(messages(&pool).await, []);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_unknown_stream_is_named_and_nothing_is_changed(pool: PgPool) {
    let acme = Story::begin(pool.clone()).await;
    acme.end_with_a_hole().await;
    let (failed, unknown) = (acme.streams(StreamState::Error).await[0], StreamId::new());
    let ids = format!("{failed},{unknown}");

    let refusal = Millrace::on(&pool).run(&["process-stream", "-s", &ids]).await.refusal(1);

    assert_eq!(refusal, format!("error: there is no stream {unknown}; nothing was posted\n"));
    assert_eq!(acme.streams(StreamState::Error).await, [failed]);
    assert_eq!(messages(&pool).await, []);
}
