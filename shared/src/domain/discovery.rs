//! A look at what a connection could sync.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{DiscoveryId, TenantId};

/// One look, asked for by a tenant and carried out by a worker.
#[derive(Clone, Debug)]
pub struct Discovery {
    pub id: DiscoveryId,
    pub tenant_id: TenantId,
    pub kind: String,
    pub settings: Value,
    pub state: DiscoveryState,
    /// Not carried out before.
    pub due_at: DateTime<Utc>,
    /// Once it is done.
    pub units: Option<Vec<ExternalSyncUnit>>,
    /// Why there is no list, or why it waits to be retried.
    pub error: Option<String>,
    pub requests: i64,
    pub created_at: DateTime<Utc>,
    pub processed_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "discovery_state", rename_all = "snake_case")]
pub enum DiscoveryState {
    Pending,
    Processing,
    Done,
    Error,
}

impl DiscoveryState {
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Done | Self::Error)
    }
}

/// Something on the platform that can be synced or left out: a repository, a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExternalSyncUnit {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    /// How many items it holds, where the platform says so without being crawled.
    pub item_count: Option<u64>,
}
