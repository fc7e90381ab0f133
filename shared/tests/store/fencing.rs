//! Who lost the lease writes nothing, whatever it is and however the lease was lost.

use std::time::Duration;

use serde_json::json;
use shared::domain::{DelayReason, RawStream};
use shared::store::{Kept, Page, PageSource, Result, RunFailure, StoreError, StreamSetback};
use sqlx::PgPool;

use crate::ground::{Ground, Held, LEASE};
use crate::records::{activities, comment};

/// What a worker writes about a run that it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Write {
    Page,
    EmptyPage,
    Again,
    NotNow,
    Never,
    List,
    Take,
    TakeSuspects,
    Keep,
    Delay,
    HandBack,
    Finish,
    Fail,
}

impl Write {
    pub(crate) const ALL: [Self; 13] = [
        Self::Page,
        Self::EmptyPage,
        Self::Again,
        Self::NotNow,
        Self::Never,
        Self::List,
        Self::Take,
        Self::TakeSuspects,
        Self::Keep,
        Self::Delay,
        Self::HandBack,
        Self::Finish,
        Self::Fail,
    ];

    /// Whether it names the run, rather than one of its streams.
    pub(crate) fn is_about_the_run(self) -> bool {
        !matches!(self, Self::Page | Self::EmptyPage | Self::Again | Self::NotNow | Self::Never)
    }

    /// Tries it; whether it was refused because the lease is lost.
    pub(crate) async fn is_refused(self, held: &Held, source: PageSource) -> bool {
        let (store, lease) = (&held.store, held.lease);
        let after = Duration::from_secs(60);
        let failure = RunFailure { error: "on fire".into(), needs_reconnect: true };
        let stream = RawStream { name: "stale".into(), payload: json!({}) };
        let page = Page {
            operations: activities([comment("stale")]),
            streams: vec![stream.clone()],
            ..Page::default()
        };
        let set_back =
            |setback| async move { store.set_back(lease, source.stream, &setback, 1).await };
        let error = || "on fire".to_owned();
        match self {
            Self::Page => is_lost(store.commit_page(source, &page).await),
            Self::EmptyPage => is_lost(store.commit_page(source, &Page::default()).await),
            Self::Again => is_lost(set_back(StreamSetback::Again { after, error: error() }).await),
            Self::NotNow => is_lost(set_back(StreamSetback::NotNow { after }).await),
            Self::Never => is_lost(set_back(StreamSetback::Never { error: error() }).await),
            Self::List => is_lost(store.list_streams(lease, &[stream], 1).await),
            Self::Take => store.take_streams(lease, 10, false).await.unwrap().is_empty(),
            Self::TakeSuspects => store.take_streams(lease, 10, true).await.unwrap().is_empty(),
            Self::Keep => store.keep_lease(lease, LEASE).await.unwrap() == Kept::Lost,
            Self::Delay => {
                let reason = DelayReason::Retry;
                is_lost(store.delay_run(lease, Some(after), reason, Some("x"), 1).await)
            }
            Self::HandBack => is_lost(store.hand_back(lease).await),
            Self::Finish => is_lost(store.finish_run(lease, Some(json!({"x": 1})), 1).await),
            Self::Fail => is_lost(store.fail_run(lease, &failure, 1).await),
        }
    }
}

fn is_lost<T: std::fmt::Debug>(result: Result<T>) -> bool {
    match result {
        Err(StoreError::LeaseLost) => true,
        Err(other) => panic!("{other}"),
        Ok(_) => false,
    }
}

/// How a lease comes to be lost.
#[derive(Clone, Copy, Debug)]
enum Loss {
    TakenOver,
    TakenOverAndStepped,
    HandedBack,
    Delayed,
    Finished,
    Deleted,
}

impl Loss {
    const ALL: [Self; 6] = [
        Self::TakenOver,
        Self::TakenOverAndStepped,
        Self::HandedBack,
        Self::Delayed,
        Self::Finished,
        Self::Deleted,
    ];

    async fn befall(self, ground: &Ground, held: &Held, source: PageSource) {
        let (store, lease) = (&held.store, held.lease);
        match self {
            Self::TakenOver | Self::TakenOverAndStepped => {
                ground.outlive_the_lease();
                let thief = ground.claim(lease.run_id).await;
                if matches!(self, Self::TakenOverAndStepped) {
                    let taken = store.take_streams(thief.lease, 10, true).await.unwrap();
                    assert_eq!(taken.len(), 1);
                }
            }
            Self::HandedBack => store.hand_back(lease).await.unwrap(),
            Self::Delayed => {
                store.delay_run(lease, None, DelayReason::Retry, None, 0).await.unwrap();
            }
            Self::Finished => {
                store.commit_page(source, &Page::default()).await.unwrap();
                store.finish_run(lease, None, 0).await.unwrap();
            }
            Self::Deleted => assert!(store.delete_integration(held.integration).await.unwrap()),
        }
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stale_lease_writes_nothing_however_it_was_lost(pool: PgPool) {
    let ground = Ground::on(pool).await;
    for loss in Loss::ALL {
        let held = ground.hold().await;
        let source = held.take().await;
        loss.befall(&ground, &held, source).await;
        let before = ground.everything().await;
        for write in Write::ALL {
            assert!(write.is_refused(&held, source).await, "{write:?} after {loss:?}");
        }
        assert_eq!(ground.everything().await, before, "after {loss:?}");
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_lease_that_expired_and_that_nobody_took_is_still_good(pool: PgPool) {
    let ground = Ground::on(pool).await;
    for write in Write::ALL {
        let held = ground.hold().await;
        let source = held.take().await;
        let stream = RawStream { name: "another".into(), payload: json!({}) };
        held.store.list_streams(held.lease, &[stream], 0).await.unwrap();
        ground.outlive_the_lease();

        let refused = write.is_refused(&held, source).await;

        // There is no suspect to take, and something is left to do.
        assert_eq!(refused, matches!(write, Write::TakeSuspects | Write::Finish), "{write:?}");
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stream_that_was_let_go_is_not_written_again(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let source = held.take().await;
    held.store.commit_page(source, &Page::default()).await.unwrap();
    let before = ground.everything().await;

    for write in Write::ALL.into_iter().filter(|write| !write.is_about_the_run()) {
        assert!(write.is_refused(&held, source).await, "{write:?}");
    }

    assert_eq!(ground.everything().await, before);
}
