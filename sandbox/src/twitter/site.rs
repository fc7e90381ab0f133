//! What all requests share. Each lock is held for a look or a change, never while waiting.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{StatusCode, Uri};
use chrono::{DateTime, TimeDelta, Utc};

use super::community::Community;
use super::faults::{Fault, Script};
use super::limits::Limits;
use super::oauth::Grants;
use crate::devto::Request;

pub(super) struct Site {
    community: RwLock<Community>,
    grants: Mutex<Grants>,
    limits: Mutex<Limits>,
    script: Mutex<Script>,
    requests: Mutex<Vec<Request>>,
    time: Mutex<Passing>,
    latency: Mutex<Duration>,
}

/// How time passes between the acts of a community.
#[derive(Clone, Copy)]
pub(super) enum Passing {
    /// So much at every request.
    ByRequests(TimeDelta),
    /// As it does for everybody.
    Really,
}

impl Site {
    pub(super) fn of(community: Community) -> Self {
        Self {
            community: RwLock::new(community),
            grants: Mutex::default(),
            limits: Mutex::default(),
            script: Mutex::default(),
            requests: Mutex::default(),
            time: Mutex::new(Passing::ByRequests(TimeDelta::zero())),
            latency: Mutex::default(),
        }
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&Community) -> T) -> T {
        look(&self.community.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn edit<T>(&self, change: impl FnOnce(&mut Community) -> T) -> T {
        change(&mut self.community.write().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.look(Community::now)
    }

    pub(super) fn let_time_pass(&self, passing: Passing) {
        *lock(&self.time) = passing;
    }

    pub(super) fn grants(&self) -> MutexGuard<'_, Grants> {
        lock(&self.grants)
    }

    pub(super) fn limits(&self) -> MutexGuard<'_, Limits> {
        lock(&self.limits)
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.script)
    }

    pub(super) fn latency(&self) -> Duration {
        *lock(&self.latency)
    }

    pub(super) fn set_latency(&self, latency: Duration) {
        *lock(&self.latency) = latency;
    }

    pub(super) fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        lock(&self.requests)
    }

    /// Notes a request before it is answered; its number, and what shall go wrong with it.
    pub(super) fn arrived(&self, uri: &Uri) -> (usize, Option<Fault>) {
        match *lock(&self.time) {
            Passing::ByRequests(each) if each.is_zero() => {}
            Passing::ByRequests(each) => self.edit(|community| community.pass(each)),
            Passing::Really => self.edit(|community| community.turn_to(Utc::now())),
        }
        let query = uri.query().map(str::to_owned);
        let request = Request { path: uri.path().to_owned(), query, status: None };
        let fault = self.script().take(&request);
        let mut requests = self.requests();
        requests.push(request);
        (requests.len() - 1, fault)
    }

    /// A log that was cleared meanwhile has no place for it.
    pub(super) fn answered(&self, number: usize, status: StatusCode) {
        if let Some(request) = self.requests().get_mut(number) {
            request.status = Some(status);
        }
    }
}

/// A scenario that panicked while it held a lock has failed already; the site goes on for the rest.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
