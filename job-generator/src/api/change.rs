//! `PATCH /v1/integrations/{id}`: other settings, other units, verified as when connecting.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use shared::domain::{Integration, IntegrationId};
use shared::store::IntegrationChange;
use utoipa::ToSchema;

use super::body::Body;
use super::parameters::Id;
use super::problem::Problem;
use super::tenant::Tenant;
use super::verify::verify;
use super::{Api, shown};

/// What is to be changed; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// All of them, in place of those there are.
    #[schema(value_type = Option<Object>, nullable = false)]
    settings: Option<Value>,
    /// All of them, in place of those there are; empty: all there are.
    #[schema(nullable = false)]
    units: Option<Vec<String>>,
}

/// Change an integration's settings or units
///
/// The platform is asked first, as when connecting; whatever is refused, nothing was changed. New
/// settings also mend an integration that needs to be reconnected. A run that is being worked on
/// goes on with the old ones until a worker takes it up again.
#[utoipa::path(
    patch,
    path = "/integrations/{id}",
    operation_id = "change_integration",
    tag = "integrations",
    params(("id" = IntegrationId, Path)),
    request_body = Change,
    responses((status = 200, description = "As it is now", body = shown::Integration)),
)]
pub(super) async fn change(
    State(api): State<Arc<Api>>,
    tenant: Tenant,
    Id(id): Id<IntegrationId>,
    Body(wanted): Body<Change>,
) -> Result<Json<shown::Integration>, Problem> {
    let before = tenant.integration(&api, id).await?;
    let change = IntegrationChange { settings: wanted.settings, units: wanted.units };
    if change.settings.is_none() && change.units.is_none() {
        return Ok(Json(shown::Integration::of(&before, api.tick)));
    }
    verify_change(&api, &before, &change).await?;
    let after = api.store.change_integration(id, &change).await?;
    // Deleted meanwhile.
    let after = after.ok_or_else(|| Problem::not_found("integration", id))?;
    Ok(Json(shown::Integration::of(&after, api.tick)))
}

async fn verify_change(
    api: &Api,
    before: &Integration,
    change: &IntegrationChange,
) -> Result<(), Problem> {
    let kind = &**api.registry.find(&before.kind)?;
    let settings = change.settings.as_ref().unwrap_or(&before.settings);
    let units = change.units.as_ref().unwrap_or(&before.units);
    verify(api, kind, settings, units).await
}
