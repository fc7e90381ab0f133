//! `explain`, from what is really stored. Each sentence has its test beside the decision.

use std::time::Duration;

use serde_json::json;
use shared::domain::{DelayReason, RawStream};
use shared::store::{SchedulerLease, StreamSetback};
use sqlx::PgPool;

use crate::service::Service;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_whose_message_was_sent_waits_for_a_worker(pool: PgPool) {
    let service = Service::start(pool).await;
    a_generator_lives(&service).await;
    let (id, run) = service.connected().await;
    let told = service.get(&format!("/v1/runs/{run}/explain")).await.expect(200);
    assert_eq!(told["run_id"], json!(run));
    assert_eq!(told["reason"], "message_sent");
    assert_eq!(
        told["sentence"],
        "It waits for a worker to take its message: 1 message was sent, the last at 2024-05-01T12:00:00Z, \
         the next is due at 2024-05-01T12:01:00Z."
    );
    assert_eq!(
        told["evidence"],
        json!({
            "now": "2024-05-01T12:00:00Z",
            "state": "pending",
            "integration": {"id": id, "kind": "forum", "status": "active", "status_reason": null},
            "delay": null,
            "lease": null,
            "message": {
                "due_at": "2024-05-01T12:01:00Z",
                "last_sent_at": "2024-05-01T12:00:00Z",
                "sent": 1,
            },
            "streams": {
                "pending": 0, "processing": 0, "processed": 0, "failed": 0, "retrying": 0,
                "next_due_at": null,
            },
            "first_errors": [],
            "quota": {"records_left": 50, "resets_at": "2024-05-01T13:00:00Z"},
            "limits": [],
            "generator": {"holder": "generator-1", "alive_until": "2024-05-01T12:00:10Z"},
        })
    );
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_whose_streams_are_retried_says_when_and_why(pool: PgPool) {
    let service = Service::start(pool).await;
    let (_, run) = service.connected().await;
    let lease = service.claimed(run).await.lease;
    let stream = |page: u32| RawStream {
        name: "articles".into(),
        payload: json!({"stream": "articles", "page": page}),
    };
    let streams = [stream(1), stream(2)];
    service.store.list_streams(lease, &streams, 0).await.expect("our lease");
    let taken = service.store.take_streams(lease, 2, false).await.expect("our lease");
    let (sooner, later) = (Duration::from_secs(60), Duration::from_secs(600));
    let again = StreamSetback::Again { after: sooner, error: "answered 502".into() };
    service.store.set_back(lease, taken[0].id, &again, 1).await.expect("our stream");
    let not_now = StreamSetback::NotNow { after: later };
    service.store.set_back(lease, taken[1].id, &not_now, 1).await.expect("our stream");
    service.store.delay_run(lease, None, DelayReason::Retry, None, 0).await.expect("our lease");

    let told = service.get(&format!("/v1/runs/{run}/explain")).await.expect(200);
    assert_eq!(
        told["sentence"],
        "Each of its 2 unfinished streams waits for its time, 1 after a failure (articles: answered 502): \
         it goes on at 2024-05-01T12:01:00Z, but no generator is alive to send a message."
    );
    assert_eq!(told["reason"], "streams_wait");
    assert_eq!(told["goes_on_at"], "2024-05-01T12:01:00Z");
    assert_eq!(told["evidence"]["streams"]["retrying"], 1);
    assert_eq!(
        told["evidence"]["first_errors"],
        json!([{
            "stream_id": taken[0].id,
            "name": "articles",
            "state": "pending",
            "attempts": 1,
            "retried_at": "2024-05-01T12:01:00Z",
            "error": "answered 502",
        }])
    );
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_lease_is_held_and_then_abandoned_and_a_generator_is_alive_and_then_gone(pool: PgPool) {
    let service = Service::start(pool).await;
    a_generator_lives(&service).await;
    let (_, run) = service.connected().await;
    service.claimed(run).await;
    let path = format!("/v1/runs/{run}/explain");
    let held = service.get(&path).await.expect(200);
    assert_eq!(held["reason"], "held");
    assert_eq!(held["evidence"]["lease"]["holder"], "worker-7");

    service.clock.advance(Duration::from_secs(31));
    let abandoned = service.get(&path).await.expect(200);
    assert_eq!(abandoned["reason"], "abandoned");
    assert_eq!(abandoned["evidence"]["generator"], json!(null));
}

async fn a_generator_lives(service: &Service) {
    let lease = SchedulerLease { token: uuid::Uuid::new_v4() };
    let held = service.store.hold_scheduler(lease, "generator-1", Duration::from_secs(10)).await;
    assert!(held.expect("the database"));
}
