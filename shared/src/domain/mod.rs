//! The nouns: tenant, integration, tick, run, stream, operation. No I/O here.

mod ids;
mod integration;
mod operation;
mod run;
mod schedule;
mod stream;

pub use ids::{IntegrationId, RunId, StreamId, TenantId};
pub use integration::{Integration, IntegrationStatus};
pub use operation::{Activity, AttributeType, Identity, Member, MemberAttribute, Operation};
pub use run::{DelayReason, Lease, RequestedBy, Run, RunMode, RunState};
pub use schedule::{CheckSchedule, RecordLimit, Tick};
pub use stream::{ATTEMPTS, RawStream, Stream, StreamState};
