//! A platform that rotates refresh tokens and takes each of them once: spent twice, it counts as
//! stolen, and the whole grant is revoked (RFC 9700, 4.14.2).

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, HeaderMap};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use shared::clock::Clock;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long an access token lives.
pub(crate) const LIFE: TimeDelta = TimeDelta::hours(2);

#[derive(Clone)]
pub(crate) struct Platform(Arc<Inner>);

struct Inner {
    url: String,
    clock: Clock,
    grant: Mutex<Grant>,
    /// How often somebody has asked for a refresh, whatever came of it; for tests that wait.
    asked: watch::Sender<usize>,
    /// A refresh that comes while this is true is looked at.
    open: watch::Sender<bool>,
    /// Those that came before are, once this is true.
    released: watch::Sender<bool>,
    /// What was looked at is answered while this is true.
    answering: watch::Sender<bool>,
    server: Mutex<Option<JoinHandle<()>>>,
}

struct Grant {
    generation: usize,
    ends_at: DateTime<Utc>,
    /// How long access tokens live that are given from now on.
    life: TimeDelta,
    spent: HashSet<String>,
    revoked: bool,
    /// A token that is spent twice is refused, and nothing more.
    lenient: bool,
    broken: bool,
    refreshes: usize,
    reuses: usize,
}

impl Platform {
    pub(crate) async fn open(clock: &Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let ends_at = clock.now() + LIFE;
        let platform = Self(Arc::new(Inner {
            url,
            clock: clock.clone(),
            grant: Mutex::new(Grant::until(ends_at)),
            asked: watch::Sender::new(0),
            open: watch::Sender::new(true),
            released: watch::Sender::new(true),
            answering: watch::Sender::new(true),
            server: Mutex::default(),
        }));
        let routes = Router::new()
            .route("/token", post(refresh))
            .route("/whoami", get(whoami))
            .with_state(platform.clone());
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        *platform.0.server.lock().unwrap() = Some(server);
        platform
    }

    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    /// What a person was given who granted access at the beginning.
    pub(crate) fn granted(&self) -> Value {
        json!({
            "type": "oauth2", "client_id": "millrace", "client_secret": "hidden-of-the-client",
            "access_token": access_token(0), "refresh_token": refresh_token(0),
            "expires_at": self.0.clock.now() + LIFE,
        })
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.0.grant.lock().unwrap().refreshes
    }

    /// Refresh tokens that came a second time.
    pub(crate) fn reuses(&self) -> usize {
        self.0.grant.lock().unwrap().reuses
    }

    pub(crate) fn asked(&self) -> usize {
        *self.0.asked.borrow()
    }

    pub(crate) async fn until_asked(&self, times: usize) {
        self.0.asked.subscribe().wait_for(|asked| *asked >= times).await.unwrap();
    }

    /// Whoever asks for a refresh waits, and it is not looked at before.
    pub(crate) fn hold(&self, hold: bool) {
        self.0.open.send_replace(!hold);
        self.0.released.send_replace(!hold);
    }

    /// Whoever waits goes on waiting, and who comes now does not.
    pub(crate) fn let_newcomers_in(&self) {
        self.0.open.send_replace(true);
    }

    /// The refresh takes place, and its answer is kept back.
    pub(crate) fn hold_answers(&self, hold: bool) {
        self.0.answering.send_replace(!hold);
    }

    /// From now on a spent token is refused, without revoking those that came of it.
    pub(crate) fn be_lenient(&self) {
        self.0.grant.lock().unwrap().lenient = true;
    }

    pub(crate) fn give_tokens_that_live_for(&self, life: TimeDelta) {
        self.0.grant.lock().unwrap().life = life;
    }

    pub(crate) fn be_broken(&self, broken: bool) {
        self.0.grant.lock().unwrap().broken = broken;
    }

    /// The access token ends before its time.
    pub(crate) fn end_early(&self) {
        self.0.grant.lock().unwrap().ends_at = DateTime::UNIX_EPOCH;
    }

    /// Rotates as if a worker had asked that died before it could store the answer.
    pub(crate) fn rotate_for_a_dead_worker(&self) {
        self.0.grant.lock().unwrap().rotate(self.0.clock.now());
    }
}

impl Grant {
    fn until(ends_at: DateTime<Utc>) -> Self {
        Self {
            generation: 0,
            ends_at,
            life: LIFE,
            spent: HashSet::new(),
            revoked: false,
            lenient: false,
            broken: false,
            refreshes: 0,
            reuses: 0,
        }
    }

    fn refresh(&mut self, token: &str, now: DateTime<Utc>) -> Option<Value> {
        if self.spent.contains(token) {
            self.reuses += 1;
            self.revoked |= !self.lenient;
        }
        if self.revoked || token != refresh_token(self.generation) {
            return None;
        }
        Some(self.rotate(now))
    }

    fn rotate(&mut self, now: DateTime<Utc>) -> Value {
        self.spent.insert(refresh_token(self.generation));
        self.refreshes += 1;
        self.generation += 1;
        self.ends_at = now + self.life;
        json!({
            "access_token": access_token(self.generation),
            "refresh_token": refresh_token(self.generation),
            "expires_in": self.life.num_seconds(),
        })
    }

    fn lets_in(&self, token: &str, now: DateTime<Utc>) -> bool {
        !self.revoked && now < self.ends_at && token == access_token(self.generation)
    }
}

async fn refresh(State(platform): State<Platform>, body: String) -> Response {
    let platform = platform.0;
    let is_held = !*platform.open.borrow();
    platform.asked.send_modify(|asked| *asked += 1);
    if is_held {
        platform.released.subscribe().wait_for(|released| *released).await.unwrap();
    }
    let token = body.split('&').find_map(|field| field.strip_prefix("refresh_token=")).unwrap();
    let answer = {
        let mut grant = platform.grant.lock().unwrap();
        if grant.broken {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        grant.refresh(token, platform.clock.now())
    };
    platform.answering.subscribe().wait_for(|answering| *answering).await.unwrap();
    match answer {
        Some(pair) => Json(pair).into_response(),
        None => {
            (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response()
        }
    }
}

async fn whoami(State(platform): State<Platform>, headers: HeaderMap) -> Response {
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let lets_in = platform.0.grant.lock().unwrap().lets_in(token, platform.0.clock.now());
    if lets_in {
        return Json(json!({ "id": "T1", "name": "Acme" })).into_response();
    }
    StatusCode::UNAUTHORIZED.into_response()
}

fn access_token(generation: usize) -> String {
    format!("hidden-access-{generation}")
}

fn refresh_token(generation: usize) -> String {
    format!("hidden-refresh-{generation}")
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(server) = self.server.lock().unwrap().take() {
            server.abort();
        }
    }
}
