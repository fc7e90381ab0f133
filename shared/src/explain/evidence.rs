//! What an explanation rests on, as it is shown.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{
    CountedBy, DelayReason, IntegrationId, IntegrationStatus, RunState, StreamId, StreamState,
};
use crate::store::{LimitFacts, QuotaLeft, RunFacts, SchedulerHolder, StreamError};

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Evidence {
    /// When we looked, by the clock that counts.
    pub now: DateTime<Utc>,
    pub state: RunState,
    pub integration: IntegrationEvidence,
    pub delay: Option<Delay>,
    pub lease: Option<Lease>,
    pub message: Message,
    pub streams: Streams,
    /// Up to three: streams given up, then streams that are retried.
    pub first_errors: Vec<FirstError>,
    /// Null when the kind has no record limit.
    pub quota: Option<Quota>,
    /// Limits on requests that it counts against, as far as any were counted lately.
    pub limits: Vec<Limit>,
    /// Who sends what is due; null if no generator is alive.
    pub generator: Option<Generator>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IntegrationEvidence {
    pub id: IntegrationId,
    pub kind: String,
    pub status: IntegrationStatus,
    /// Why it needs to be reconnected.
    pub status_reason: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Delay {
    pub until: DateTime<Utc>,
    pub reason: DelayReason,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Lease {
    pub holder: String,
    pub until: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Message {
    /// When the next one is due; null if none is wanted.
    pub due_at: Option<DateTime<Utc>>,
    pub last_sent_at: Option<DateTime<Utc>>,
    /// Since the run was last claimed.
    pub sent: i32,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Streams {
    pub pending: i64,
    pub processing: i64,
    pub processed: i64,
    /// In state `error`: given up.
    pub failed: i64,
    /// Pending ones that have failed before.
    pub retrying: i64,
    /// When the earliest pending one is due.
    pub next_due_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FirstError {
    pub stream_id: StreamId,
    pub name: String,
    pub state: StreamState,
    pub attempts: i32,
    /// When it is stepped again; null if it was given up.
    pub retried_at: Option<DateTime<Utc>>,
    pub error: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Quota {
    /// What a run of this mode may still take in this window.
    pub records_left: u64,
    /// When counting begins anew.
    pub resets_at: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Limit {
    /// Which requests, in the platform's words.
    pub class: String,
    /// Whether all tenants' requests count together, rather than those with one credential.
    pub of_all_tenants: bool,
    /// In each window.
    pub allowed: u64,
    pub per_seconds: f64,
    /// What a run of this mode could take now.
    pub left: u64,
    /// Tenants that use it or want to.
    pub tenants: u64,
    /// When this tenant's turn is expected; null if it does not wait.
    pub turn_at: Option<DateTime<Utc>>,
    /// Until when the platform wants to be left alone.
    pub blocked_until: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Generator {
    pub holder: String,
    pub alive_until: DateTime<Utc>,
}

impl Evidence {
    pub(super) fn of(facts: &RunFacts) -> Self {
        let RunFacts { run, integration, streams, .. } = facts;
        let delay = run.delayed_until.zip(run.delay_reason);
        Self {
            now: facts.now,
            state: run.state,
            integration: IntegrationEvidence {
                id: integration.id,
                kind: integration.kind.clone(),
                status: integration.status,
                status_reason: integration.status_reason.clone(),
            },
            delay: delay.map(|(until, reason)| Delay { until, reason }),
            lease: facts.lease(),
            message: Message { due_at: run.send_at, last_sent_at: run.sent_at, sent: run.sends },
            streams: Streams {
                pending: streams.pending,
                processing: streams.processing,
                processed: streams.processed,
                failed: streams.failed,
                retrying: facts.retrying,
                next_due_at: streams.next_due_at,
            },
            first_errors: facts.first_errors.iter().map(FirstError::from).collect(),
            quota: facts.quota.as_ref().map(Quota::from),
            limits: facts.limits.iter().map(Limit::from).collect(),
            generator: facts.scheduler.as_ref().map(Generator::from),
        }
    }
}

impl RunFacts {
    pub(super) fn lease(&self) -> Option<Lease> {
        let (holder, until) = (self.run.lease_holder.clone()?, self.run.lease_until?);
        Some(Lease { holder, until })
    }
}

impl From<&StreamError> for FirstError {
    fn from(error: &StreamError) -> Self {
        let is_retried = error.state == StreamState::Pending;
        Self {
            stream_id: error.stream,
            name: error.name.clone(),
            state: error.state,
            attempts: error.attempts,
            retried_at: is_retried.then_some(error.due_at),
            error: error.error.clone(),
        }
    }
}

impl From<&QuotaLeft> for Quota {
    fn from(left: &QuotaLeft) -> Self {
        Self { records_left: left.records, resets_at: left.resets_at }
    }
}

impl From<&LimitFacts> for Limit {
    fn from(limit: &LimitFacts) -> Self {
        Self {
            class: limit.class.clone(),
            of_all_tenants: limit.counted_by == CountedBy::Application,
            allowed: limit.allowed,
            per_seconds: limit.per.as_secs_f64(),
            left: limit.left,
            tenants: limit.tenants as u64,
            turn_at: limit.turn,
            blocked_until: limit.blocked_until,
        }
    }
}

impl From<&SchedulerHolder> for Generator {
    fn from(holder: &SchedulerHolder) -> Self {
        Self { holder: holder.holder.clone(), alive_until: holder.held_until }
    }
}
