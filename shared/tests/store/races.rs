//! Two at once: takeovers that meet writes, deletions that meet pages, claims that meet claims. Who
//! is first is held up in the middle, until the other waits.

use std::time::Duration;

use futures_util::future::join_all;
use shared::domain::{DelayReason, RunId, StreamState};
use shared::store::{Claimed, Page, PageSource, Store, StoreError, StreamSetback};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::task::JoinHandle;

use crate::fencing::Write;
use crate::gate::Gate;
use crate::ground::{Ground, Held, LEASE, counted};
use crate::records::{activities, comment};

/// Takes a run over, in the background.
fn take_over(store: &Store, run: RunId) -> JoinHandle<Option<Claimed>> {
    let store = store.clone();
    tokio::spawn(async move { store.claim_run(run, "thief", LEASE).await.unwrap() })
}

fn write(write: Write, held: &Held, source: PageSource) -> JoinHandle<bool> {
    let held = held.clone();
    tokio::spawn(async move { write.is_refused(&held, source).await })
}

/// Lets a takeover come as far as the gate, then a write of the former holder; whether it was refused.
async fn meets_a_takeover_at(ground: &Ground, table: &str, so: &str, what: Write) -> bool {
    let held = ground.hold().await;
    let source = held.take().await;
    ground.outlive_the_lease();
    let gate = Gate::after_update(ground, table, so).await;
    let thief = take_over(&ground.store, held.lease.run_id);
    gate.until_waiting(1).await;
    let stale = write(what, &held, source);
    gate.until_waiting(2).await;
    gate.open().await;

    let stolen = thief.await.unwrap().expect("the run is there to be taken");
    let refused = stale.await.unwrap();
    let streams = ground.store.streams(held.lease.run_id, None, None, 10).await.unwrap();
    let streams: Vec<_> = streams.iter().map(|stream| (stream.state, stream.crashes)).collect();
    assert_eq!(streams, [(StreamState::Pending, 1)], "{what:?}");
    let kept = ground.store.keep_lease(stolen.lease, LEASE).await.unwrap();
    assert_eq!(kept, shared::store::Kept::Ours, "{what:?}");
    refused
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_write_that_meets_a_takeover_waits_for_it_and_comes_to_nothing(pool: PgPool) {
    let ground = Ground::on(pool).await;
    for what in Write::ALL {
        let freed = "new.crashes > old.crashes";
        assert!(meets_a_takeover_at(&ground, "integration_streams", freed, what).await, "{what:?}");
    }
    let stored = "select 'an activity' from activities union all select 'a member' from members";
    assert!(ground.lines(stored).await.is_empty());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_write_about_a_run_that_is_just_being_claimed_neither_passes_nor_deadlocks(pool: PgPool) {
    let ground = Ground::on(pool).await;
    for what in Write::ALL.into_iter().filter(|write| write.is_about_the_run()) {
        let claimed =
            "new.lease_token is distinct from old.lease_token and new.lease_holder = 'thief'";
        assert!(meets_a_takeover_at(&ground, "integration_runs", claimed, what).await, "{what:?}");
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_takeover_waits_for_a_page_that_is_being_committed_and_the_page_counts(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let source = held.take().await;
    ground.outlive_the_lease();
    let spends = counted("toy");
    let page = Page { operations: activities([comment("c")]), spends, ..Page::default() };

    let gate = Gate::before_committing(&ground, "quota_ledger", "true").await;
    let store = ground.store.clone();
    let committing = tokio::spawn(async move { store.commit_page(source, &page).await });
    gate.until_waiting(1).await;
    let thief = take_over(&ground.store, held.lease.run_id);
    gate.until_waiting(2).await;
    gate.open().await;

    committing.await.unwrap().expect("it was first");
    assert!(thief.await.unwrap().expect("the run is there to be taken").abandoned);
    let stream = ground.store.streams(held.lease.run_id, None, None, 1).await.unwrap().remove(0);
    assert_eq!((stream.state, stream.crashes, stream.records), (StreamState::Processed, 0, 1));
    assert_eq!(ground.lines("select source_id from activities").await, ["c"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_takeover_frees_streams_that_are_being_taken_at_that_moment(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let source = held.take().await;
    let not_now = StreamSetback::NotNow { after: Duration::ZERO };
    held.store.set_back(held.lease, source.stream, &not_now, 0).await.unwrap();
    ground.outlive_the_lease();

    let gate = Gate::after_update(&ground, "integration_streams", "new.state = 'processing'").await;
    let taker = held.clone();
    let taking =
        tokio::spawn(
            async move { taker.store.take_streams(taker.lease, 10, false).await.unwrap() },
        );
    gate.until_waiting(1).await;
    let thief = take_over(&ground.store, held.lease.run_id);
    gate.until_waiting(2).await;
    gate.open().await;

    let taken = taking.await.unwrap();
    assert_eq!(taken.len(), 1, "it was first");
    thief.await.unwrap().expect("the run is there to be taken");
    let stream = ground.store.streams(held.lease.run_id, None, None, 1).await.unwrap().remove(0);
    assert_eq!((stream.state, stream.crashes), (StreamState::Pending, 1));
    assert!(Write::Page.is_refused(&held, held.source(&taken[0])).await);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_claim_that_meets_the_holders_last_word_believes_it(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let let_go = "old.lease_token is not null and new.lease_token is null";
    let kept = "new.lease_until > old.lease_until";
    for (last_word, when, claimable) in [
        (Write::Keep, kept, false),
        (Write::Delay, let_go, false),
        (Write::Fail, let_go, false),
        (Write::HandBack, let_go, true),
    ] {
        let held = ground.hold().await;
        let source = held.take().await;
        ground.outlive_the_lease();
        let gate = Gate::after_update(&ground, "integration_runs", when).await;
        let holder = write(last_word, &held, source);
        gate.until_waiting(1).await;
        let claim = take_over(&ground.store, held.lease.run_id);
        gate.until_waiting(2).await;
        gate.open().await;

        assert!(!holder.await.unwrap(), "{last_word:?} was first");
        let claimed = claim.await.unwrap();
        assert_eq!(claimed.is_some(), claimable, "{last_word:?}");
        assert!(claimed.is_none_or(|claimed| !claimed.abandoned), "it was handed back");
        let streams = ground.store.streams(held.lease.run_id, None, None, 1).await.unwrap();
        assert_eq!(streams[0].crashes, 0, "{last_word:?}");
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn of_twenty_claims_one_wins(options: PgPoolOptions, database: PgConnectOptions) {
    let pool = options.max_connections(20).connect_with(database).await.unwrap();
    let ground = Ground::on(pool.clone()).await;
    let (_, run) = ground.connect().await;
    let claim_by_twenty = async || {
        let claims = (0..20).map(|_| ground.store.claim_run(run, "a worker", LEASE));
        let claims = join_all(claims).await.into_iter().map(Result::unwrap);
        let mut winners: Vec<Claimed> = claims.flatten().collect();
        assert_eq!(winners.len(), 1);
        winners.remove(0)
    };

    let pending = claim_by_twenty().await;
    assert!(!pending.abandoned);
    for _ in 0..5 {
        ground.outlive_the_lease();
        let abandoned = claim_by_twenty().await;
        assert!(abandoned.abandoned);
        let delay =
            ground.store.delay_run(abandoned.lease, Some(LEASE), DelayReason::Sleep, None, 0);
        delay.await.unwrap();
        assert!(ground.store.claim_run(run, "a worker", LEASE).await.unwrap().is_none());
        ground.outlive_the_lease();
        claim_by_twenty().await;
    }
    pool.close().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn deleting_an_integration_while_a_page_is_committed_succeeds(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    // Whoever looks for deadlocks gives way, and that is the deletion.
    let patient = database.clone().options([("deadlock_timeout", "1h")]);
    let impatient = database.options([("deadlock_timeout", "50ms")]);
    let patient = options.clone().connect_with(patient).await.unwrap();
    let impatient = options.connect_with(impatient).await.unwrap();
    let ground = Ground::on(patient.clone()).await;
    let held = ground.hold().await;
    let source = held.take().await;
    let page = Page { operations: activities([comment("c")]), ..Page::default() };
    // The deletion has the integration and waits for the run; the page has the stream and waits for
    // the integration. Then each has what the other wants.
    let mut run_row = ground.store.pool().begin().await.unwrap();
    sqlx::query("select from integration_runs for update").execute(&mut *run_row).await.unwrap();
    let deleting = tokio::spawn({
        let store = Store::new(impatient.clone(), ground.clock.clone());
        async move { store.delete_integration(held.integration).await }
    });
    crate::gate::until_waiting(ground.store.pool(), 1).await;
    let committing = tokio::spawn({
        let store = ground.store.clone();
        async move { store.commit_page(source, &page).await }
    });
    crate::gate::until_waiting(ground.store.pool(), 2).await;
    run_row.rollback().await.unwrap();

    assert!(deleting.await.unwrap().expect("it is tried again"));
    let committed = committing.await.unwrap();
    assert!(matches!(committed, Ok(()) | Err(StoreError::LeaseLost)), "{committed:?}");
    let left =
        "select 'a run' from integration_runs union all select 'a stream' from integration_streams";
    assert!(ground.lines(left).await.is_empty());
    let stored = ground.lines("select 'an activity' from activities").await;
    assert_eq!(stored.len(), usize::from(committed.is_ok()));
    patient.close().await;
    impatient.close().await;
}
