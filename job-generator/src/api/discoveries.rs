//! What could be synced: asked for here, found out by a worker, and looked up here again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::domain::{self, CredentialId, DiscoveryId, DiscoveryState, ExternalSyncUnit, TenantId};
use shared::outbox::send_discovery_now;
use shared::store::{DueDiscovery, KeptAnswer, NewDiscovery};
use shared::verify::Wish;
use utoipa::ToSchema;

use super::Api;
use super::body::Body;
use super::once::{self, Key, Once, made};
use super::parameters::Id;
use super::problem::Problem;
use super::tenant::Tenant;
use super::verify::fits;

/// Whose units are to be found.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Discover {
    /// The platform type, as `github`.
    kind: String,
    /// What the kind wants to know, as when connecting.
    #[schema(value_type = Object)]
    settings: Value,
    /// What lets us in, of those under `/v1/credentials`; left out where the platform is open.
    #[serde(default)]
    #[schema(required = false)]
    credential_id: Option<CredentialId>,
}

/// A look at what a connection could sync.
#[derive(Serialize, ToSchema)]
pub(super) struct Discovery {
    id: DiscoveryId,
    kind: String,
    status: Status,
    /// Of `DONE`: everything that could be synced. Connecting takes the ids of those chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    units: Option<Vec<ExternalSyncUnit>>,
    /// Of `ERROR`: why there is no list. Of `PENDING`: why it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// Of `PENDING`: not carried out before, because the platform wants to be left alone or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    goes_on_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    processed_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = DiscoveryStatus)]
pub(super) enum Status {
    Pending,
    Done,
    Error,
}

/// Discover what could be synced
///
/// A worker asks the platform which repositories, channels, … these settings give access to. Nothing
/// is connected by it.
#[utoipa::path(
    post,
    path = "/integrations/discover",
    tag = "discoveries",
    params(Key),
    request_body = Discover,
    responses((
        status = 202,
        description = "A worker takes it up; `Location` is where the answer will be",
        body = Discovery,
        headers(("Location" = String)),
    )),
)]
pub(super) async fn discover(
    State(api): State<Arc<Api>>,
    Tenant(tenant): Tenant,
    key: Key,
    Body(wanted): Body<Discover>,
) -> Result<Response, Problem> {
    let request = once::Request::of(&api, tenant, key);
    let asked = ("discover", &wanted);
    request.carry_out(&asked, async |once| discover_now(&api, tenant, &wanted, once).await).await
}

async fn discover_now(
    api: &Api,
    tenant: TenantId,
    wanted: &Discover,
    once: &Once,
) -> Result<KeptAnswer, Problem> {
    let Discover { kind, settings, credential_id: credential } = wanted.clone();
    let integration = &**api.registry.find(&kind)?;
    let wish = Wish { tenant, integration, settings: &settings, units: &[], credential };
    fits(api, wish).await?;
    let new = NewDiscovery { tenant_id: tenant, kind, settings, credential };
    let asked = api.store.ask_discovery(&new, once.keep(&answer)).await?;
    let due = DueDiscovery { discovery: asked.id, tenant };
    send_discovery_now(&api.store, &*api.queue, due).await;
    Ok(answer(&asked))
}

fn answer(asked: &domain::Discovery) -> KeptAnswer {
    made(StatusCode::ACCEPTED, format!("/v1/discoveries/{}", asked.id), &Discovery::of(asked))
}

/// Show a discovery
///
/// `DONE` with the list, `ERROR` with the reason, or `PENDING`. Forgotten after a week.
#[utoipa::path(
    get,
    path = "/discoveries/{id}",
    operation_id = "show_discovery",
    tag = "discoveries",
    params(("id" = DiscoveryId, Path)),
    responses((status = 200, description = "As it is now", body = Discovery)),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    tenant: Tenant,
    Id(id): Id<DiscoveryId>,
) -> Result<Json<Discovery>, Problem> {
    Ok(Json(Discovery::of(&tenant.discovery(&api, id).await?)))
}

impl Discovery {
    fn of(discovery: &domain::Discovery) -> Self {
        let status = Status::of(discovery.state);
        let waits =
            discovery.state == DiscoveryState::Pending && discovery.due_at > discovery.created_at;
        Self {
            id: discovery.id,
            kind: discovery.kind.clone(),
            status,
            units: discovery.units.clone(),
            reason: discovery.error.clone(),
            goes_on_at: waits.then_some(discovery.due_at),
            created_at: discovery.created_at,
            processed_at: discovery.processed_at,
        }
    }
}

impl Status {
    fn of(state: DiscoveryState) -> Self {
        match state {
            DiscoveryState::Pending | DiscoveryState::Processing => Self::Pending,
            DiscoveryState::Done => Self::Done,
            DiscoveryState::Error => Self::Error,
        }
    }
}
