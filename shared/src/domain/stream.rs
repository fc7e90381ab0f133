//! One resumable unit of fetching inside a run.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{RunId, StreamId};

/// Failures after which a stream, or the beginning of a run, is given up.
pub const ATTEMPTS: i32 = 5;

/// A stream as the engine sees it: the author's type is behind the JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct RawStream {
    /// What sort of stream: the tag of the author's enum.
    pub name: String,
    pub payload: Value,
}

/// A stream with what became of it.
#[derive(Clone, Debug)]
pub struct Stream {
    pub id: StreamId,
    pub run_id: RunId,
    pub name: String,
    pub payload: Value,
    pub state: StreamState,
    pub due_at: DateTime<Utc>,
    pub attempts: i32,
    pub crashes: i32,
    pub records: i64,
    pub requests: i64,
    pub created_at: DateTime<Utc>,
    pub processed_at: Option<DateTime<Utc>>,
    pub error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "stream_state", rename_all = "snake_case")]
pub enum StreamState {
    Pending,
    Processing,
    Processed,
    Error,
}
