//! `/v1/runs`: looking at runs and their streams. Starting them is in `start.rs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use shared::domain::{IntegrationId, RunId, RunState, StreamId, StreamState};
use shared::explain::Explanation;
use shared::store::RunFilter;
use utoipa::IntoParams;

use super::page::{Cursor, Limit, Page};
use super::parameters::{Id, Query};
use super::problem::Problem;
use super::tenant::Tenant;
use super::{Api, shown};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Only of this integration.
    integration_id: Option<IntegrationId>,
    /// Only in this state.
    state: Option<RunState>,
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<RunId>>,
}

/// List the tenant's runs
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/runs",
    operation_id = "list_runs",
    tag = "runs",
    params(Which),
    responses((status = 200, description = "A page of them", body = Page<shown::Run>)),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Tenant(tenant): Tenant,
    Query(which): Query<Which>,
) -> Result<Json<Page<shown::Run>>, Problem> {
    let filter = RunFilter {
        tenant: Some(tenant),
        integration: which.integration_id,
        state: which.state,
        before: which.cursor.map(|cursor| cursor.0),
    };
    let rows = api.store.runs(filter, which.limit.rows()).await?;
    Ok(Json(Page::of(rows, which.limit, |run| run.id, |run| shown::Run::from(&run))))
}

/// Show a run
///
/// With its streams by state, its records and its requests.
#[utoipa::path(
    get,
    path = "/runs/{id}",
    operation_id = "show_run",
    tag = "runs",
    params(("id" = RunId, Path)),
    responses((status = 200, description = "As it is now", body = shown::RunInFull)),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    tenant: Tenant,
    Id(id): Id<RunId>,
) -> Result<Json<shown::RunInFull>, Problem> {
    let run = tenant.run(&api, id).await?;
    let streams = api.store.count_streams(id).await?;
    Ok(Json(shown::RunInFull::of(&run, &streams)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichStreams {
    /// Only in this state.
    state: Option<StreamState>,
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<StreamId>>,
}

/// List a run's streams
///
/// Oldest first.
#[utoipa::path(
    get,
    path = "/runs/{id}/streams",
    operation_id = "list_streams",
    tag = "runs",
    params(("id" = RunId, Path), WhichStreams),
    responses((status = 200, description = "A page of them", body = Page<shown::Stream>)),
)]
pub(super) async fn streams(
    State(api): State<Arc<Api>>,
    tenant: Tenant,
    Id(id): Id<RunId>,
    Query(which): Query<WhichStreams>,
) -> Result<Json<Page<shown::Stream>>, Problem> {
    tenant.run(&api, id).await?;
    let after = which.cursor.map(|cursor| cursor.0);
    let rows = api.store.streams(id, which.state, after, which.limit.rows()).await?;
    Ok(Json(Page::of(rows, which.limit, |stream| stream.id, shown::Stream::from)))
}

/// Explain a run
///
/// Why it is moving or is not: one sentence, and the evidence for it.
#[utoipa::path(
    get,
    path = "/runs/{id}/explain",
    operation_id = "explain_run",
    tag = "runs",
    params(("id" = RunId, Path)),
    responses((status = 200, description = "At this moment", body = Explanation)),
)]
pub(super) async fn explain(
    State(api): State<Arc<Api>>,
    tenant: Tenant,
    Id(id): Id<RunId>,
) -> Result<Json<Explanation>, Problem> {
    let run = tenant.run(&api, id).await?;
    let limit = api.registry.find(&run.kind).ok().and_then(|integration| integration.limit());
    let facts = api.store.run_facts(id, limit.as_ref()).await?;
    // Deleted meanwhile.
    let facts = facts.ok_or_else(|| Problem::not_found("run", id))?;
    Ok(Json(shared::explain::explain(&facts)))
}
