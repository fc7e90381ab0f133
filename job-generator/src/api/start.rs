//! Putting runs to work: asking for one, and continuing one that ended or is stuck.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use shared::domain::{IntegrationId, IntegrationStatus, RequestedBy, Run, RunId, RunMode};
use shared::store::{Continued, KeptAnswer, Requested};
use utoipa::ToSchema;

use super::body::Body;
use super::once::{self, Key, Once, made};
use super::parameters::Id;
use super::problem::{Problem, Type};
use super::tenant::Tenant;
use super::{Api, shown};

/// Which run is wanted.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestRun {
    mode: RunMode,
}

/// Ask for a run
///
/// Starts one, or joins the one that is live: there is one at a time. An onboarding asked for while
/// a check is live follows it. The run of a paused integration waits until that is resumed.
#[utoipa::path(
    post,
    path = "/integrations/{id}/runs",
    tag = "runs",
    params(("id" = IntegrationId, Path), Key),
    request_body = RequestRun,
    responses((
        status = 202,
        description = "A worker takes it up; `Location` is the run",
        body = shown::RequestedRun,
        headers(("Location" = String)),
    )),
)]
pub(super) async fn request_run(
    State(api): State<Arc<Api>>,
    tenant: Tenant,
    Id(id): Id<IntegrationId>,
    key: Key,
    Body(wanted): Body<RequestRun>,
) -> Result<Response, Problem> {
    let request = once::Request::of(&api, tenant.0, key);
    let asked = ("request_run", id, &wanted);
    let mode = wanted.mode;
    request.carry_out(&asked, async |once| request_now(&api, tenant, id, mode, once).await).await
}

async fn request_now(
    api: &Api,
    tenant: Tenant,
    id: IntegrationId,
    mode: RunMode,
    once: &Once,
) -> Result<KeptAnswer, Problem> {
    let integration = tenant.integration(api, id).await?;
    let (by, keep) = (RequestedBy::Api, once.keep(&answer));
    let requested = api.store.request_run_keeping(id, mode, by, keep).await?;
    // Deleted meanwhile.
    let requested = requested.ok_or_else(|| Problem::not_found("integration", id))?;
    if !requested.0.joined && integration.status == IntegrationStatus::Active {
        api.send(requested.1.id, integration.tenant_id).await;
    }
    Ok(answer(&requested))
}

fn answer((requested, run): &(Requested, Run)) -> KeptAnswer {
    made(StatusCode::ACCEPTED, location(run.id), &shown::RequestedRun::of(*requested, run))
}

fn location(run: RunId) -> String {
    format!("/v1/runs/{run}")
}

/// Continue a run
///
/// Its failed streams are stepped again, and whatever waits is due at once. A run that has ended
/// becomes live again, unless another one of its integration is.
#[utoipa::path(
    post,
    path = "/runs/{id}/continue",
    tag = "runs",
    params(("id" = RunId, Path)),
    responses((
        status = 202,
        description = "A worker takes it up; `Location` is the run",
        body = shown::Run,
        headers(("Location" = String)),
    )),
)]
pub(super) async fn continue_run(
    State(api): State<Arc<Api>>,
    tenant: Tenant,
    Id(id): Id<RunId>,
) -> Result<Response, Problem> {
    tenant.run(&api, id).await?;
    match api.store.continue_run(id).await? {
        Continued::Yes => {}
        Continued::AnotherIsLive(live) => return Err(another_is_live(id, live)),
        // Deleted meanwhile.
        Continued::Unknown => return Err(Problem::not_found("run", id)),
    }
    api.send(id, tenant.0).await;
    let run = tenant.run(&api, id).await?;
    let headers = [(LOCATION, location(id))];
    Ok((StatusCode::ACCEPTED, headers, Json(shown::Run::from(&run))).into_response())
}

fn another_is_live(run: RunId, live: RunId) -> Problem {
    let detail = format!("run {run} has ended, and run {live} of its integration is live");
    Problem::new(Type::AnotherRunIsLive, detail).with_live_run(live)
}
