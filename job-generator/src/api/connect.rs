//! `POST /v1/integrations`: a tenant connects.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::domain::{CredentialId, RequestedBy, TenantId};
use shared::store::{Connected, KeptAnswer};
use shared::verify::Wish;
use tracing::info;
use utoipa::ToSchema;

use super::body::Body;
use super::once::{self, Key, Once, made};
use super::problem::Problem;
use super::tenant::Tenant;
use super::verify::to_be_connected;
use super::{Api, shown};

/// What is to be connected.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Connect {
    /// The platform type, as `devto`.
    kind: String,
    /// What the kind wants to know.
    #[schema(value_type = Object)]
    settings: Value,
    /// External sync units to be synced; left out or empty: all there are.
    #[serde(default)]
    #[schema(required = false)]
    units: Vec<String>,
    /// What lets it in, for kinds that are not open to everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    credential_id: Option<CredentialId>,
}

/// A new integration, with the onboarding that was started for it.
#[derive(Serialize, ToSchema)]
#[schema(as = Connected)]
struct ConnectedBody {
    integration: shown::Integration,
    run: shown::Run,
}

/// Connect an integration
///
/// The platform is asked whether the settings can work; then the integration is stored and its
/// onboarding starts. Whatever is refused, nothing was stored.
#[utoipa::path(
    post,
    path = "/integrations",
    tag = "integrations",
    params(Key),
    request_body = Connect,
    responses((
        status = 201,
        description = "Connected; `Location` is the integration",
        body = ConnectedBody,
        headers(("Location" = String)),
    )),
)]
pub(super) async fn connect(
    State(api): State<Arc<Api>>,
    Tenant(tenant): Tenant,
    key: Key,
    Body(wanted): Body<Connect>,
) -> Result<Response, Problem> {
    let request = once::Request::of(&api, tenant, key);
    let asked = ("connect", &wanted);
    request.carry_out(&asked, async |once| connect_now(&api, tenant, &wanted, once).await).await
}

async fn connect_now(
    api: &Api,
    tenant: TenantId,
    wanted: &Connect,
    once: &Once,
) -> Result<KeptAnswer, Problem> {
    let integration = &**api.registry.find(&wanted.kind)?;
    let wish = Wish {
        tenant,
        integration,
        settings: &wanted.settings,
        units: &wanted.units,
        credential: wanted.credential_id,
    };
    let new = to_be_connected(api, wish).await?;
    let answer = |connected: &Connected| answer(connected, api.tick);
    let connected =
        api.store.connect_keeping(&new, RequestedBy::Connect, once.keep(&answer)).await?;
    let (id, run) = (connected.integration.id, connected.run.id);
    info!(integration.id = %id, kind = new.kind, run.id = %run, "connected");
    api.send(run, tenant).await;
    Ok(answer(&connected))
}

fn answer(connected: &Connected, tick: Duration) -> KeptAnswer {
    let location = format!("/v1/integrations/{}", connected.integration.id);
    let body = ConnectedBody {
        integration: shown::Integration::of(&connected.integration, tick),
        run: (&connected.run).into(),
    };
    made(StatusCode::CREATED, location, &body)
}
