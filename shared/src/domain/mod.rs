//! The nouns: tenant, integration, tick, run, stream, operation. No I/O here.

mod credential;
mod discovery;
mod ids;
mod integration;
mod known_credential;
mod limit;
mod operation;
pub mod quota;
mod run;
mod schedule;
mod stream;

pub use credential::{Credential, CredentialType, GithubApp, Oauth2, Renewed};
pub use discovery::{Discovery, DiscoveryState, ExternalSyncUnit};
pub use ids::{CredentialId, DiscoveryId, IntegrationId, RunId, StreamId, TenantId};
pub use integration::{Integration, IntegrationStatus};
pub use known_credential::{CredentialState, KnownCredential};
pub use limit::{CountedBy, RequestLimit, Said};
pub use operation::{
    Activity, AttributeType, Identity, Member, MemberAttribute, Operation, Organization,
};
pub use run::{DelayReason, Lease, RequestedBy, Run, RunMode, RunState};
pub use schedule::{CheckSchedule, RecordLimit, Tick};
pub use stream::{ATTEMPTS, RawStream, Stream, StreamState};
