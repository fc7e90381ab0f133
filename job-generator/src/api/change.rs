//! `PATCH /v1/integrations/{id}`: other settings, other units, another credential, verified as when
//! connecting.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use shared::domain::{CredentialId, Integration, IntegrationId};
use shared::store::IntegrationChange;
use shared::verify::Wish;
use utoipa::ToSchema;

use super::body::Body;
use super::parameters::Id;
use super::problem::Problem;
use super::tenant::Tenant;
use super::verify::can_work;
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
    /// In place of the one there is.
    #[schema(nullable = false)]
    credential_id: Option<CredentialId>,
}

/// Change an integration's settings, units or credential
///
/// The platform is asked first, as when connecting; whatever is refused, nothing was changed. Other
/// settings and another credential also mend an integration that needs to be reconnected. A run that
/// is being worked on goes on with the old ones until a worker takes it up again.
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
    let Change { settings, units, credential_id } = wanted;
    let change = IntegrationChange { settings, units, credential_id };
    if change == IntegrationChange::default() {
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
    let wish = Wish {
        tenant: before.tenant_id,
        integration: &**api.registry.find(&before.kind)?,
        settings: change.settings.as_ref().unwrap_or(&before.settings),
        units: change.units.as_ref().unwrap_or(&before.units),
        credential: change.credential_id.or(before.credential_id),
    };
    can_work(api, wish).await
}
