//! `/v1/integrations`: looking at them, pausing, resuming, deleting. Connecting is in `connect.rs`,
//! changing in `change.rs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use shared::domain::{Integration, IntegrationId};
use utoipa::IntoParams;

use super::page::{Cursor, Limit, Page};
use super::parameters::{Id, Query, invalid};
use super::problem::Problem;
use super::tenant::Tenant;
use super::{Api, shown};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Only of this kind.
    kind: Option<String>,
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<IntegrationId>>,
}

/// List the tenant's integrations
///
/// Oldest first.
#[utoipa::path(
    get,
    path = "/integrations",
    operation_id = "list_integrations",
    tag = "integrations",
    params(Which),
    responses((status = 200, description = "A page of them", body = Page<shown::Integration>)),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Tenant(tenant): Tenant,
    Query(which): Query<Which>,
) -> Result<Json<Page<shown::Integration>>, Problem> {
    let Which { kind, limit, cursor } = which;
    if let Some(kind) = &kind {
        api.registry.find(kind).map_err(|unknown| invalid("kind", unknown))?;
    }
    let after = cursor.map(|cursor| cursor.0);
    let rows = api.store.integrations(Some(tenant), kind.as_deref(), after, limit.rows()).await?;
    let show = |integration| shown::Integration::of(&integration, api.tick);
    Ok(Json(Page::of(rows, limit, |integration| integration.id, show)))
}

/// Show an integration
#[utoipa::path(
    get,
    path = "/integrations/{id}",
    operation_id = "show_integration",
    tag = "integrations",
    params(("id" = IntegrationId, Path)),
    responses((status = 200, description = "As it is now", body = shown::Integration)),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    tenant: Tenant,
    Id(id): Id<IntegrationId>,
) -> Result<Json<shown::Integration>, Problem> {
    let integration = tenant.integration(&api, id).await?;
    Ok(Json(shown::Integration::of(&integration, api.tick)))
}

/// Pause an integration
///
/// Nothing is fetched until it is resumed. A run that is being worked on is handed back within
/// seconds, and waits.
#[utoipa::path(
    post,
    path = "/integrations/{id}/pause",
    operation_id = "pause_integration",
    tag = "integrations",
    params(("id" = IntegrationId, Path)),
    responses((status = 200, description = "As it is now", body = shown::Integration)),
)]
pub(super) async fn pause(
    State(api): State<Arc<Api>>,
    tenant: Tenant,
    Id(id): Id<IntegrationId>,
) -> Result<Json<shown::Integration>, Problem> {
    tenant.integration(&api, id).await?;
    still_there(&api, id, api.store.pause_integration(id).await?)
}

/// Resume an integration
///
/// It is checked by ticks again, and a run that waited goes on. Also tries the credentials of an
/// integration that needs to be reconnected once more.
#[utoipa::path(
    post,
    path = "/integrations/{id}/resume",
    operation_id = "resume_integration",
    tag = "integrations",
    params(("id" = IntegrationId, Path)),
    responses((status = 200, description = "As it is now", body = shown::Integration)),
)]
pub(super) async fn resume(
    State(api): State<Arc<Api>>,
    tenant: Tenant,
    Id(id): Id<IntegrationId>,
) -> Result<Json<shown::Integration>, Problem> {
    tenant.integration(&api, id).await?;
    still_there(&api, id, api.store.resume_integration(id).await?)
}

/// `None` if it was deleted meanwhile.
fn still_there(
    api: &Api,
    id: IntegrationId,
    integration: Option<Integration>,
) -> Result<Json<shown::Integration>, Problem> {
    let integration = integration.ok_or_else(|| Problem::not_found("integration", id))?;
    Ok(Json(shown::Integration::of(&integration, api.tick)))
}

/// Delete an integration
///
/// With its runs and streams. Members and activities stay.
#[utoipa::path(
    delete,
    path = "/integrations/{id}",
    operation_id = "delete_integration",
    tag = "integrations",
    params(("id" = IntegrationId, Path)),
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn delete(
    State(api): State<Arc<Api>>,
    tenant: Tenant,
    Id(id): Id<IntegrationId>,
) -> Result<StatusCode, Problem> {
    tenant.integration(&api, id).await?;
    api.store.delete_integration(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
