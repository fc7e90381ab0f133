//! What every request passes, whichever the platform: the log and the latency.

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::sleep;

use super::requests::{Ask, Asked};
use super::wire::Cut;
use super::{Incoming, Platform, SiteState};

/// No integration sends so much.
const LONGEST_BODY: usize = 2 * 1024 * 1024;

/// Every request leaves its answer's status in the log.
pub(super) async fn receive<P: Platform>(
    State(site): State<SiteState<P>>,
    ConnectInfo(connection): ConnectInfo<Cut>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let asked = P::read(Ask { parts: &parts, body: &body });
    let number = site.requests.arrived(asked.clone());
    let latency = site.latency();
    if !latency.is_zero() {
        sleep(latency).await;
    }
    let request = Request::from_parts(parts, Body::from(body));
    let incoming = Incoming { request, next, connection, number };
    let answer = P::receive(&site, &asked, incoming).await;
    site.requests.amend(number, |asked| asked.answered(answer.status()));
    answer
}
