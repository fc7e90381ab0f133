//! What an author of an integration works with, and the erased pair the engine holds.
//!
//! Typed for the author ([`Integration`]), erased for the engine ([`DynIntegration`], [`DynRun`]),
//! JSON at exactly one line between, in `erased.rs`. Nothing here knows the store or the queue.

mod access;
mod directory;
mod erased;
mod error;
pub mod html;
pub mod http;
mod integration;
mod output;
mod place;
pub mod rate_limit;
mod records;
mod registry;
pub mod testing;

pub use crate::domain::{
    Activity, AttributeType, CheckSchedule, CountedBy, Credential, CredentialType,
    ExternalSyncUnit, GithubApp, Identity, Member, MemberAttribute, Oauth2, Operation,
    Organization, RecordLimit, Renewed, RequestLimit, RunMode, Said,
};
pub use access::{Access, Keys, Quota, Spending, Spent};
pub use directory::{Directory, KnownAccount};
pub use erased::{
    DynIntegration, DynRun, InvalidSettings, RawConnection, RawRunSummary, Undecodable,
};
pub use error::{Result, SyncError};
pub use http::ApiClient;
pub use integration::{Connection, Integration, Owner, Run};
pub use output::{EndedStream, LastRecord, RunSummary, StreamOutput};
pub use place::Place;
pub use records::{attributes, generated_id, said};
pub use registry::{Registry, UnknownCredential, UnknownKind};
