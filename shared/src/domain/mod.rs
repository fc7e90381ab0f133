//! The nouns: tenant, integration, tick, run, stream, operation. No I/O here.

mod ids;

pub use ids::{IntegrationId, RunId, StreamId, TenantId};
