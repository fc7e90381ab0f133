//! Sending a request until something answers, each time within the limits.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use rand::Rng;
use reqwest::Response;
use tokio::time::{Instant, sleep};

use super::request::Line;
use super::{ApiClient, counting, origin};
use crate::sdk::{Quota, Spending, Spent, SyncError};

/// Before the second and the third attempt, give or take a half: enough for a listener that is
/// being replaced, too little to matter to a page.
const WAITS: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(100)];

/// Whoever counts what is sent, and what each sending costs.
pub(super) struct Within<'a> {
    pub(super) quota: &'a dyn Quota,
    pub(super) spending: &'a [Spending],
}

/// Why there is no answer.
pub(super) enum Unanswered {
    /// It would have been above a limit.
    NotSent(SyncError),
    Failed(reqwest::Error),
}

/// The first answer of up to three attempts. Only a connection that was lost before it answered is
/// tried again; its attempts share one deadline.
pub(super) async fn first_answer(
    client: &ApiClient,
    request: &reqwest::Request,
    repeatable: bool,
    deadline: Instant,
    within: &Within<'_>,
) -> Result<(Response, Spent), Unanswered> {
    for wait in WAITS {
        match attempt(client, request, deadline, within).await {
            Err(Unanswered::Failed(error)) if was_lost(&error, repeatable) => {
                sleep(jittered(wait)).await;
            }
            outcome => return outcome,
        }
    }
    attempt(client, request, deadline, within).await
}

async fn attempt(
    client: &ApiClient,
    request: &reqwest::Request,
    deadline: Instant,
    within: &Within<'_>,
) -> Result<(Response, Spent), Unanswered> {
    // The platform may have counted an attempt that was lost, so each is spent for itself.
    let spent = within.quota.spend(within.spending).await.map_err(Unanswered::NotSent)?;
    // Only a streamed body cannot be cloned, and there are none here.
    let mut copy = request.try_clone().expect("bodies are bytes");
    *copy.timeout_mut() = Some(deadline.saturating_duration_since(Instant::now()));
    counting::sent();
    let outcome = client.http.execute(copy).await;
    counting::answered(client.kind, outcome.as_ref());
    outcome.map(|response| (response, spent)).map_err(Unanswered::Failed)
}

/// A refused connection carried no request. One that was reset may have, and the platform may have
/// acted on it before it died.
fn was_lost(error: &reqwest::Error, repeatable: bool) -> bool {
    causes(error).any(|cause| {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return io.kind() == ErrorKind::ConnectionRefused || repeatable && was_reset(io.kind());
        }
        let hyper = cause.downcast_ref::<hyper::Error>();
        repeatable && hyper.is_some_and(hyper::Error::is_incomplete_message)
    })
}

fn was_reset(kind: ErrorKind) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(rand::rng().random_range(0.5..1.5))
}

/// What it means to the engine that no answer came.
pub(super) fn failure(line: &Line, unanswered: Unanswered) -> SyncError {
    let error = match unanswered {
        Unanswered::NotSent(error) => return error,
        Unanswered::Failed(error) => error,
    };
    let permanent = causes(&error).any(origin::is_for_good) || error.is_builder();
    let happened = if error.is_timeout() { "waited in vain for an answer" } else { "no answer" };
    // The address is in `line` as far as it may be told.
    let error = anyhow::Error::new(error.without_url()).context(format!("{line}: {happened}"));
    if permanent { SyncError::Permanent(error) } else { SyncError::Other(error) }
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
