//! How runs end, and that none ends over something unfinished.

use std::time::Duration;

use serde_json::json;
use shared::domain::{RawStream, RequestedBy, RunMode, RunState, StreamState};
use shared::store::{Continued, Page, RunFailure, StoreError, StreamSetback};
use sqlx::PgPool;

use crate::ground::{Ground, Held};
use crate::records::{activities, comment};

async fn give_up(held: &Held, error: &str) -> shared::domain::StreamId {
    let source = held.take().await;
    let never = StreamSetback::Never { error: error.into() };
    held.store.set_back(held.lease, source.stream, &never, 0).await.unwrap();
    source.stream
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_ends_with_the_counts_of_its_streams(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    held.commit(activities([comment("a"), comment("b")])).await;
    held.commit(activities([comment("c")])).await;

    let finished = held.store.finish_run(held.lease, Some(json!({"seen\0": 3})), 0).await.unwrap();

    assert_eq!(finished.state, RunState::Processed);
    assert_eq!((finished.streams_processed, finished.streams_failed, finished.records), (2, 0, 3));
    let stored =
        "select concat_ws(' ', r.state, streams_processed, streams_failed, records, i.state,
                      i.onboarded_at = r.processed_at)
                  from integration_runs r join integrations i on i.id = r.integration_id";
    assert_eq!(ground.lines(stored).await, [r#"processed 2 0 3 {"seen": 3} t"#]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_with_a_hole_says_what_is_missing_and_keeps_what_is_remembered(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    give_up(&held, "it is gone").await;
    ground.clock.advance(Duration::from_secs(1));
    give_up(&held, "it is on fire").await;
    held.commit(activities([comment("a")])).await;

    let finished = held.store.finish_run(held.lease, Some(json!({"seen": 1})), 0).await.unwrap();

    assert_eq!((finished.state, finished.streams_failed), (RunState::Error, 2));
    let stored = "select concat_ws(' ', r.error, i.state, i.onboarded_at is null)
                  from integration_runs r join integrations i on i.id = r.integration_id";
    assert_eq!(
        ground.lines(stored).await,
        [r#"2 of 3 streams failed; the first: page: it is gone {"seen": 1} t"#]
    );
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_failed_run_says_why_it_failed_and_not_what_its_streams_did(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    give_up(&held, "it is gone").await;
    let in_flight = held.take().await;

    let failure = RunFailure { error: "token\0 revoked".into(), needs_reconnect: true };
    let failed = held.store.fail_run(held.lease, &failure, 7).await.unwrap();

    assert_eq!((failed.state, failed.streams_failed), (RunState::Error, 1));
    let stored = "select concat_ws(' ', r.error, r.requests, '-', i.status, i.status_reason)
                  from integration_runs r join integrations i on i.id = r.integration_id";
    assert_eq!(ground.lines(stored).await, ["token revoked 7 - needs_reconnect token revoked"]);
    let streams = ground.store.streams(held.lease.run_id, None, None, 10).await.unwrap();
    let in_flight = streams.iter().find(|stream| stream.id == in_flight.stream).unwrap();
    assert_eq!((in_flight.state, in_flight.attempts), (StreamState::Pending, 0));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_whose_streams_were_put_back_while_it_was_closed_does_not_end(pool: PgPool) {
    let ground = Ground::on(pool).await;
    for continue_all in [true, false] {
        let held = ground.hold().await;
        let run = held.lease.run_id;
        give_up(&held, "it is gone").await;
        let other = give_up(&held, "it is on fire").await;

        let continued = match continue_all {
            true => ground.store.continue_run(run).await,
            false => ground.store.process_stream_again(run, other).await,
        };
        assert_eq!(continued.unwrap(), Continued::Yes);
        let finished = held.store.finish_run(held.lease, None, 0).await;

        assert!(matches!(finished, Err(StoreError::LeaseLost)), "{finished:?}");
        assert_eq!(ground.run(run).await.state, RunState::Pending, "it is handed back");
        let again = ground.claim(run).await;
        let taken = again.store.take_streams(again.lease, 10, false).await.unwrap();
        assert_eq!(taken.len(), if continue_all { 2 } else { 1 });
        for stream in &taken {
            again.store.commit_page(again.source(stream), &Page::default()).await.unwrap();
        }
        let finished = again.store.finish_run(again.lease, None, 0).await.unwrap();
        assert_eq!(finished.state == RunState::Processed, continue_all);
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_with_something_still_to_do_does_not_end(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let stream = RawStream { name: "page".into(), payload: json!({}) };
    held.store.list_streams(held.lease, &[stream], 0).await.unwrap();

    let finished = held.store.finish_run(held.lease, None, 0).await;

    assert!(matches!(finished, Err(StoreError::LeaseLost)), "{finished:?}");
    assert_eq!(ground.run(held.lease.run_id).await.state, RunState::Pending);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_onboarding_asked_for_during_a_check_follows_however_the_check_ends(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let first = ground.hold().await;
    let integration = first.integration;
    first.store.finish_run(first.lease, None, 0).await.unwrap();
    let request = async |mode| {
        ground.store.request_run(integration, mode, RequestedBy::Api).await.unwrap().unwrap()
    };

    for fails in [false, true] {
        let check = ground.claim(request(RunMode::Check).await.run).await;
        request(RunMode::Onboarding).await;
        let failure = RunFailure { error: "on fire".into(), needs_reconnect: false };
        let ended = match fails {
            true => check.store.fail_run(check.lease, &failure, 0).await,
            false => check.store.finish_run(check.lease, None, 0).await,
        };

        let follow_up = ended.unwrap().follow_up.expect("an onboarding follows");
        let run = ground.run(follow_up).await;
        assert_eq!((run.mode, run.requested_by.as_str()), (RunMode::Onboarding, "follow_up"));
        let onboarding = ground.claim(follow_up).await;
        let ended = onboarding.store.finish_run(onboarding.lease, None, 0).await.unwrap();
        assert_eq!(ended.follow_up, None, "one, and no more");
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_ended_run_is_not_continued_beside_a_live_one(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let ended = ground.hold().await;
    let stream = give_up(&ended, "it is gone").await;
    let old = ended.lease.run_id;
    ended.store.finish_run(ended.lease, None, 0).await.unwrap();
    let live = ground.store.request_run(ended.integration, RunMode::Check, RequestedBy::Api).await;
    let live = live.unwrap().unwrap().run;
    let before = ground.everything().await;

    let refused = Continued::AnotherIsLive(live);
    assert_eq!(ground.store.continue_run(old).await.unwrap(), refused);
    assert_eq!(ground.store.process_stream_again(old, stream).await.unwrap(), refused);
    let foreign = ground.store.process_stream_again(live, stream).await.unwrap();
    assert_eq!(foreign, Continued::Unknown, "the stream is another run's");

    assert_eq!(ground.everything().await, before);
}
