//! One processing of one integration. Its states are drawn in `docs/state-machines.md`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{IntegrationId, RunId, TenantId};

#[derive(Clone, Debug)]
pub struct Run {
    pub id: RunId,
    pub tenant_id: TenantId,
    pub integration_id: IntegrationId,
    pub kind: String,
    pub mode: RunMode,
    pub requested_by: String,
    pub state: RunState,
    pub delayed_until: Option<DateTime<Utc>>,
    pub delay_reason: Option<DelayReason>,
    pub lease_holder: Option<String>,
    pub lease_until: Option<DateTime<Utc>>,
    /// When a message about it is due; `None` if none is wanted.
    pub send_at: Option<DateTime<Utc>>,
    pub sent_at: Option<DateTime<Utc>>,
    /// Messages sent since it was last claimed.
    pub sends: i32,
    /// When its first streams were stored; `None`: not begun.
    pub listed_at: Option<DateTime<Utc>>,
    /// Failures to begin or to close it.
    pub attempts: i32,
    /// Provider requests made outside of streams.
    pub requests: i64,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub processed_at: Option<DateTime<Utc>>,
    pub error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    /// Everything there is.
    Onboarding,
    /// What is new since the last check.
    Check,
}

impl RunMode {
    pub fn from_onboarding(onboarding: bool) -> Self {
        if onboarding { Self::Onboarding } else { Self::Check }
    }

    pub fn is_onboarding(self) -> bool {
        self == Self::Onboarding
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Onboarding => "onboarding",
            Self::Check => "check",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "run_state", rename_all = "snake_case")]
pub enum RunState {
    Pending,
    Processing,
    Delayed,
    Processed,
    Error,
}

impl RunState {
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Processed | Self::Error)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Delayed => "delayed",
            Self::Processed => "processed",
            Self::Error => "error",
        }
    }
}

/// What a delayed run waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DelayReason {
    /// The platform's rate limit.
    RateLimit,
    /// The kind's record limit.
    Quota,
    /// The integration asked for a rest after a page.
    Sleep,
    /// The back-off of what failed.
    Retry,
}

impl DelayReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RateLimit => "rate_limit",
            Self::Quota => "quota",
            Self::Sleep => "sleep",
            Self::Retry => "retry",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::RateLimit, Self::Quota, Self::Sleep, Self::Retry]
            .into_iter()
            .find(|reason| reason.as_str() == text)
    }
}

/// Who asked for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestedBy {
    Tick,
    Connect,
    Api,
    Message,
    Cli,
    /// An onboarding that was asked for while a check was live.
    FollowUp,
}

impl RequestedBy {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tick => "tick",
            Self::Connect => "connect",
            Self::Api => "api",
            Self::Message => "message",
            Self::Cli => "cli",
            Self::FollowUp => "follow_up",
        }
    }
}

/// The right to write about a run, until the run is claimed by somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    pub run_id: RunId,
    pub token: Uuid,
}
