//! What is carried out once, however often it is sent: `Idempotency-Key`.
//!
//! `carry_out` takes the key, or answers as before, or waits for whoever is carrying the same request
//! out. It gives the answer, or the key back if nothing was done. In between the answer is kept by
//! the very transaction that does what was asked for: see `store/idempotency.rs`.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::domain::TenantId;
use shared::store::{HeldKey, IdempotencyKey, Keep, KeptAnswer, TakenKey};
use tracing::warn;
use utoipa::IntoParams;

use super::Api;
use super::parameters::invalid;
use super::problem::{Problem, Type};

/// Until somebody else's request is looked at again. It is a rare wait, of about as long as a
/// platform needs to answer; waiting for a signal would cost a connection per waiter.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The key that a request brings, if it brings one.
#[derive(IntoParams)]
#[into_params(names("Idempotency-Key"), parameter_in = Header)]
pub(super) struct Key(
    /// Sent again within a day, the request is answered as before and not carried out again.
    #[param(value_type = String, required = false, min_length = 1, max_length = 255)]
    Option<String>,
);

impl Key {
    const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
    const LONGEST: usize = 255;
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(key) = parts.headers.get(Self::HEADER) else { return Ok(Self(None)) };
        match key.to_str() {
            Ok(key) if (1..=Self::LONGEST).contains(&key.len()) => Ok(Self(Some(key.to_owned()))),
            _ => {
                let why = format!("has 1 to {} visible ASCII characters", Self::LONGEST);
                Err(invalid("Idempotency-Key", why))
            }
        }
    }
}

/// A tenant's request, that is carried out once per key.
pub(super) struct Request<'a> {
    api: &'a Api,
    tenant: TenantId,
    key: Key,
    hold: Duration,
}

impl<'a> Request<'a> {
    pub(super) fn of(api: &'a Api, tenant: TenantId, key: Key) -> Self {
        Self { api, tenant, key, hold: IdempotencyKey::HOLD }
    }

    /// Of one that may take longer than others.
    pub(super) fn held_for(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }

    /// `asked` is everything that makes two requests the same.
    pub(super) async fn carry_out(
        self,
        asked: &impl Serialize,
        now: impl AsyncFnOnce(&Once) -> Result<KeptAnswer, Problem>,
    ) -> Result<Response, Problem> {
        let api = self.api;
        let once = match self.begin(asked).await? {
            Begun::Before(answer) => return Ok(answer),
            Begun::Now(once) => once,
        };
        let done = now(&once).await;
        once.end(api, done).await
    }

    async fn begin(self, asked: &impl Serialize) -> Result<Begun, Problem> {
        let Some(key) = self.key.0 else { return Ok(Begun::Now(Once(None))) };
        let key = IdempotencyKey::new(self.tenant, &key, json(asked).as_bytes());
        let key = key.held_for(self.hold);
        // At the end of a hold that nothing came of, it is our turn: the wait has an end.
        loop {
            match self.api.store.take_key(&key).await? {
                TakenKey::Ours(held) => return Ok(Begun::Now(Once(Some(held)))),
                TakenKey::Answered(answer) => return Ok(Begun::Before(again(answer))),
                TakenKey::SentWithAnother => return Err(sent_with_another()),
                TakenKey::Held => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }
}

/// What came of beginning.
enum Begun {
    /// It was carried out before.
    Before(Response),
    Now(Once),
}

/// A request that is being carried out; without a key if it was sent without one.
pub(super) struct Once(Option<HeldKey>);

impl Once {
    /// For the transaction that does what was asked for.
    pub(super) fn keep<'k, T>(
        &'k self,
        answer: &'k (dyn Fn(&T) -> KeptAnswer + Send + Sync),
    ) -> Option<Keep<'k, T>> {
        self.0.as_ref().map(|key| Keep { key, answer })
    }

    async fn end(self, api: &Api, done: Result<KeptAnswer, Problem>) -> Result<Response, Problem> {
        match (done, self.0) {
            (Ok(answer), _) => Ok(response(answer)),
            (Err(problem), None) => Err(problem),
            (Err(problem), Some(held)) => {
                if let Err(error) = api.store.release_key(&held).await {
                    // It frees itself at the end of the hold.
                    warn!("an idempotency key was not released: {error}");
                }
                Err(problem)
            }
        }
    }
}

fn sent_with_another() -> Problem {
    let detail = "this key was sent with another request; take a new one for each";
    Problem::new(Type::KeySentWithAnother, detail).of("Idempotency-Key")
}

fn again(answer: KeptAnswer) -> Response {
    let mut response = response(answer);
    let replayed = HeaderName::from_static("idempotent-replayed");
    response.headers_mut().insert(replayed, HeaderValue::from_static("true"));
    response
}

/// The one way from what is kept to what is sent, so that the second time looks like the first.
fn response(answer: KeptAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = [(CONTENT_TYPE, "application/json"), (LOCATION, answer.location.as_str())];
    (status, headers, answer.body).into_response()
}

/// An answer that says where what was made can be seen.
pub(super) fn made(status: StatusCode, location: String, body: &impl Serialize) -> KeptAnswer {
    KeptAnswer { status: status.as_u16(), location, body: json(body) }
}

fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("what is sent and answered is plain data")
}
