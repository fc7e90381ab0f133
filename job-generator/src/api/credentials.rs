//! `/v1/credentials`: looking at them, taking them away. Bringing one is in `bring.rs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use shared::domain::CredentialId;
use shared::store::Removed;
use utoipa::IntoParams;

use super::page::{Cursor, Limit, Page};
use super::parameters::{Id, Query};
use super::problem::{Problem, Type};
use super::tenant::Tenant;
use super::{Api, shown};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Only for this platform.
    platform: Option<String>,
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<CredentialId>>,
}

/// List the tenant's credentials
///
/// Oldest first, without their secrets.
#[utoipa::path(
    get,
    path = "/credentials",
    operation_id = "list_credentials",
    tag = "credentials",
    params(Which),
    responses((status = 200, description = "A page of them", body = Page<shown::Credential>)),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Tenant(tenant): Tenant,
    Query(which): Query<Which>,
) -> Result<Json<Page<shown::Credential>>, Problem> {
    let Which { platform, limit, cursor } = which;
    let after = cursor.map(|cursor| cursor.0);
    let rows =
        api.store.credentials(Some(tenant), platform.as_deref(), after, limit.rows()).await?;
    Ok(Json(Page::of(rows, limit, |known| known.id, |known| shown::Credential::from(&known))))
}

/// Show a credential
///
/// Without its secret.
#[utoipa::path(
    get,
    path = "/credentials/{id}",
    operation_id = "show_credential",
    tag = "credentials",
    params(("id" = CredentialId, Path)),
    responses((status = 200, description = "As it is now", body = shown::Credential)),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    tenant: Tenant,
    Id(id): Id<CredentialId>,
) -> Result<Json<shown::Credential>, Problem> {
    let known = tenant.credential(&api, id).await?;
    Ok(Json(shown::Credential::from(&known)))
}

/// Delete a credential
///
/// Refused while an integration uses it.
#[utoipa::path(
    delete,
    path = "/credentials/{id}",
    operation_id = "delete_credential",
    tag = "credentials",
    params(("id" = CredentialId, Path)),
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn delete(
    State(api): State<Arc<Api>>,
    tenant: Tenant,
    Id(id): Id<CredentialId>,
) -> Result<StatusCode, Problem> {
    tenant.credential(&api, id).await?;
    match api.store.remove_credential(id).await? {
        Removed::Yes | Removed::Unknown => Ok(StatusCode::NO_CONTENT),
        Removed::InUse(user) => {
            let detail = format!("integration {user} uses credential {id}, and perhaps others do");
            Err(Problem::new(Type::CredentialInUse, detail))
        }
    }
}
