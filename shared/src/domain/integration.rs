//! One connection of a tenant to one platform.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{CredentialId, IntegrationId, TenantId};

#[derive(Clone, Debug)]
pub struct Integration {
    pub id: IntegrationId,
    pub tenant_id: TenantId,
    pub kind: String,
    /// What the tenant typed.
    pub settings: Value,
    /// External sync units chosen when connecting; empty: all there are.
    pub units: Vec<String>,
    /// What lets it in; `None` where the platform is open to everybody.
    pub credential_id: Option<CredentialId>,
    pub status: IntegrationStatus,
    /// Why it needs to be reconnected.
    pub status_reason: Option<String>,
    pub next_check_tick: Option<i64>,
    pub onboarding_wanted: bool,
    pub onboarded_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "integration_status", rename_all = "snake_case")]
pub enum IntegrationStatus {
    /// Checked by ticks.
    Active,
    /// By its tenant: nothing is fetched until resumed.
    Paused,
    /// The platform refused our credentials: nothing is fetched until reconnected.
    NeedsReconnect,
}
