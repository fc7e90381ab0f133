//! Renewals under way in this process: one per secret, however many wait for it.
//!
//! Each has a task of its own. Whoever waits may be dropped; the renewal goes on, since what the
//! platform answers may be the only pair that is good.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::domain::CredentialId;

/// A version of a credential.
pub(super) type Secret = (CredentialId, i64);

/// How a renewal ended.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    /// Look again: another secret has come in its place, or it is refused.
    Over,
    NotNow(Duration),
    Failed(String),
}

#[derive(Default)]
pub(super) struct Flights {
    tasks: TaskTracker,
    under_way: Arc<UnderWay>,
}

type UnderWay = Mutex<HashMap<Secret, watch::Receiver<Option<Ended>>>>;

impl Flights {
    /// Waits for the one that is under way, or begins it. `None` if it ended in a panic.
    pub(super) async fn join<F>(&self, secret: Secret, begin: impl FnOnce() -> F) -> Option<Ended>
    where
        F: Future<Output = Ended> + Send + 'static,
    {
        let mut ended = self.ended(secret, begin);
        ended.wait_for(Option::is_some).await.ok()?.clone()
    }

    fn ended<F>(&self, secret: Secret, begin: impl FnOnce() -> F) -> watch::Receiver<Option<Ended>>
    where
        F: Future<Output = Ended> + Send + 'static,
    {
        let mut under_way = locked(&self.under_way);
        if let Some(ended) = under_way.get(&secret) {
            return ended.clone();
        }
        let (tell, ended) = watch::channel(None);
        under_way.insert(secret, ended.clone());
        let landing = Landing { secret, under_way: Arc::clone(&self.under_way) };
        let flight = begin();
        self.tasks.spawn(async move {
            let ended = flight.await;
            drop(landing);
            tell.send_replace(Some(ended));
        });
        ended
    }

    pub(super) async fn landed(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Takes a flight off the list, also one that ends in a panic.
struct Landing {
    secret: Secret,
    under_way: Arc<UnderWay>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        locked(&self.under_way).remove(&self.secret);
    }
}

/// Nothing is half-done while it is locked, whoever panics.
fn locked(under_way: &UnderWay) -> MutexGuard<'_, HashMap<Secret, watch::Receiver<Option<Ended>>>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use tokio::sync::oneshot;

    use super::*;

    fn secret(version: i64) -> Secret {
        (CredentialId(uuid::Uuid::nil()), version)
    }

    #[tokio::test]
    async fn however_many_come_there_is_one_flight() {
        let (flights, begun) = (Flights::default(), AtomicUsize::new(0));
        let begin = || {
            begun.fetch_add(1, Ordering::Relaxed);
            async { Ended::Over }
        };
        let ended = join_all((0..50).map(|_| flights.join(secret(1), begin))).await;
        assert!(ended.iter().all(|ended| matches!(ended, Some(Ended::Over))));
        assert_eq!(begun.load(Ordering::Relaxed), 1);

        flights.join(secret(1), begin).await;
        assert_eq!(begun.load(Ordering::Relaxed), 2, "one that has landed is begun anew");
    }

    #[tokio::test]
    async fn who_is_dropped_does_not_cut_it_off_and_closing_waits_for_it() {
        let flights = Flights::default();
        let (open, gate) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let flight = async {
            gate.await.unwrap();
            tell.send(()).unwrap();
            Ended::Over
        };
        assert!(flights.join(secret(1), || flight).now_or_never().is_none());
        assert!(flights.landed().now_or_never().is_none());

        open.send(()).unwrap();
        flights.landed().await;
        told.await.unwrap();
    }

    #[tokio::test]
    async fn one_that_panics_is_forgotten() {
        let flights = Flights::default();
        assert!(flights.join(secret(1), || async { panic!("a mistake") }).await.is_none());
        assert!(flights.join(secret(1), || async { Ended::Over }).await.is_some());
        assert!(flights.join(secret(2), pending).now_or_never().is_none());
    }
}
