//! What may be told of a credential: everything but the secret.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CredentialId, CredentialType, TenantId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCredential {
    pub id: CredentialId,
    pub tenant_id: TenantId,
    /// Where it lets in.
    pub platform: String,
    pub kind: CredentialType,
    pub state: CredentialState,
    /// Why it is not valid.
    pub state_reason: Option<String>,
    /// Whose it is, in the platform's words; empty if the platform did not say.
    pub organization_id: String,
    pub organization_name: String,
    /// When its token ends; `None`: when the platform says so.
    pub expires_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// When its tenant last brought another in its place.
    pub updated_at: DateTime<Utc>,
    /// When we last got a new token with it.
    pub renewed_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "credential_state", rename_all = "snake_case")]
pub enum CredentialState {
    Valid,
    /// Its time is over, and it cannot be renewed.
    Expired,
    /// The platform refused it.
    Revoked,
}

impl CredentialState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}
