//! What is shown of integrations, runs and streams. Nothing of it is secret to its tenant: settings
//! hold no credentials.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use shared::domain::{
    self, CredentialId, CredentialState, CredentialType, DelayReason, IntegrationId,
    IntegrationStatus, RunId, RunMode, RunState, StreamId, StreamState, Tick,
};
use shared::store::{Requested, StreamCounts};
use utoipa::ToSchema;

/// A connection to a platform.
#[derive(Serialize, ToSchema)]
pub(super) struct Integration {
    id: IntegrationId,
    kind: String,
    /// As they were sent.
    #[schema(value_type = Object)]
    settings: Value,
    /// External sync units chosen when connecting; empty: all there are.
    units: Vec<String>,
    /// What lets it in; null where the platform is open to everybody.
    credential_id: Option<CredentialId>,
    status: IntegrationStatus,
    /// Why it needs to be reconnected.
    status_reason: Option<String>,
    /// When a tick checks it next; null if no tick does, or none now.
    next_check_at: Option<DateTime<Utc>>,
    /// An onboarding follows the run that is live.
    onboarding_wanted: bool,
    /// End of the last onboarding without a hole.
    onboarded_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Integration {
    pub(super) fn of(integration: &domain::Integration, tick: Duration) -> Self {
        let is_active = integration.status == IntegrationStatus::Active;
        let next_check = integration.next_check_tick.filter(|_| is_active).map(Tick);
        Self {
            id: integration.id,
            kind: integration.kind.clone(),
            settings: integration.settings.clone(),
            units: integration.units.clone(),
            credential_id: integration.credential_id,
            status: integration.status,
            status_reason: integration.status_reason.clone(),
            next_check_at: next_check.map(|next| next.begins(tick)),
            onboarding_wanted: integration.onboarding_wanted,
            onboarded_at: integration.onboarded_at,
            created_at: integration.created_at,
            updated_at: integration.updated_at,
        }
    }
}

/// What lets integrations in at a platform. The secret itself is never shown.
#[derive(Serialize, ToSchema)]
pub(super) struct Credential {
    id: CredentialId,
    /// Where it lets in, as `slack`.
    platform: String,
    r#type: CredentialType,
    state: CredentialState,
    /// Why it is not valid.
    state_reason: Option<String>,
    /// Whose it is, as the platform says.
    organization: CredentialOrganization,
    /// When its token ends; null if the platform decides. What can be renewed is renewed before.
    expires_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    /// When another was last brought in its place.
    updated_at: DateTime<Utc>,
    /// When it was last renewed.
    renewed_at: Option<DateTime<Utc>>,
}

/// A workspace, a guild, a person, an account. Empty where the platform did not say.
#[derive(Serialize, ToSchema)]
pub(super) struct CredentialOrganization {
    id: String,
    name: String,
}

impl From<&domain::KnownCredential> for Credential {
    fn from(known: &domain::KnownCredential) -> Self {
        let domain::KnownCredential { organization_id, organization_name, .. } = known;
        let organization =
            CredentialOrganization { id: organization_id.clone(), name: organization_name.clone() };
        Self {
            id: known.id,
            platform: known.platform.clone(),
            r#type: known.kind,
            state: known.state,
            state_reason: known.state_reason.clone(),
            organization,
            expires_at: known.expires_at,
            created_at: known.created_at,
            updated_at: known.updated_at,
            renewed_at: known.renewed_at,
        }
    }
}

/// One processing of one integration.
#[derive(Serialize, ToSchema)]
pub(super) struct Run {
    id: RunId,
    integration_id: IntegrationId,
    kind: String,
    mode: RunMode,
    /// tick, connect, api, message, cli or follow_up.
    requested_by: String,
    state: RunState,
    /// Of a delayed run.
    delayed_until: Option<DateTime<Utc>>,
    delay_reason: Option<DelayReason>,
    /// Why it ended with a hole, or why it is retried.
    error: Option<String>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    processed_at: Option<DateTime<Utc>>,
}

impl From<&domain::Run> for Run {
    fn from(run: &domain::Run) -> Self {
        Self {
            id: run.id,
            integration_id: run.integration_id,
            kind: run.kind.clone(),
            mode: run.mode,
            requested_by: run.requested_by.clone(),
            state: run.state,
            delayed_until: run.delayed_until,
            delay_reason: run.delay_reason,
            error: run.error.clone(),
            created_at: run.created_at,
            started_at: run.started_at,
            processed_at: run.processed_at,
        }
    }
}

/// A run, with how far it is.
#[derive(Serialize, ToSchema)]
pub(super) struct RunInFull {
    #[serde(flatten)]
    run: Run,
    streams: StreamsByState,
    /// Handed to the sink so far.
    records: i64,
    /// Sent to the platform so far, failed ones included.
    requests: i64,
}

#[derive(Serialize, ToSchema)]
pub(super) struct StreamsByState {
    pending: i64,
    processing: i64,
    processed: i64,
    /// In state `error`: given up.
    failed: i64,
}

impl RunInFull {
    pub(super) fn of(run: &domain::Run, streams: &StreamCounts) -> Self {
        Self {
            run: run.into(),
            streams: StreamsByState {
                pending: streams.pending,
                processing: streams.processing,
                processed: streams.processed,
                failed: streams.failed,
            },
            records: streams.records,
            requests: run.requests + streams.requests,
        }
    }
}

/// What came of asking for a run.
#[derive(Serialize, ToSchema)]
pub(super) struct RequestedRun {
    #[serde(flatten)]
    run: Run,
    /// It was live already.
    joined: bool,
    /// The live run is a check: the onboarding that was asked for follows it.
    onboarding_follows: bool,
}

impl RequestedRun {
    pub(super) fn of(requested: Requested, run: &domain::Run) -> Self {
        let Requested { joined, onboarding_follows, .. } = requested;
        Self { run: run.into(), joined, onboarding_follows }
    }
}

/// One resumable unit of fetching inside a run.
#[derive(Serialize, ToSchema)]
pub(super) struct Stream {
    id: StreamId,
    /// What sort of stream.
    name: String,
    /// What it fetches, in the integration's own words.
    #[schema(value_type = Object)]
    payload: Value,
    state: StreamState,
    /// Not stepped before.
    due_at: DateTime<Utc>,
    /// Failures so far.
    attempts: i32,
    /// Workers that died while stepping it.
    crashes: i32,
    /// Records that its page handed to the sink.
    records: i64,
    requests: i64,
    /// Why it was given up, or why it is retried.
    error: Option<String>,
    created_at: DateTime<Utc>,
    /// When it ended.
    processed_at: Option<DateTime<Utc>>,
}

impl From<domain::Stream> for Stream {
    fn from(stream: domain::Stream) -> Self {
        Self {
            id: stream.id,
            name: stream.name,
            payload: stream.payload,
            state: stream.state,
            due_at: stream.due_at,
            attempts: stream.attempts,
            crashes: stream.crashes,
            records: stream.records,
            requests: stream.requests,
            error: stream.error,
            created_at: stream.created_at,
            processed_at: stream.processed_at,
        }
    }
}
