//! An integration whose platform is a function of the test's: which page is asked for, how often it
//! has been asked for before, what comes back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Map;
use shared::sdk::{
    Activity, CheckSchedule, Connection, Identity, Integration, Member, Operation, RecordLimit,
    Result, Run, RunMode, RunSummary, StreamOutput, SyncError,
};

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub enum Stream {
    Page { list: String, page: u32 },
}

pub fn page(list: &str, page: u32) -> Stream {
    Stream::Page { list: list.to_owned(), page }
}

/// One asking of the platform.
pub struct Asked {
    pub stream: Stream,
    /// How often it had been asked for before.
    pub before: usize,
    pub mode: RunMode,
}

type Answer = dyn Fn(&Asked) -> Result<StreamOutput<Stream>> + Send + Sync;

/// What the platform answers, and what it was asked.
#[derive(Clone)]
pub struct Platform {
    answer: Arc<Answer>,
    /// `preprocess` fails with what this gives, as long as it gives something.
    pub preprocess: Arc<Mutex<Vec<SyncError>>>,
    pub first: Arc<Vec<Stream>>,
    asked: Arc<Mutex<Vec<Stream>>>,
    waiting: Arc<Mutex<HashMap<Stream, Arc<tokio::sync::Semaphore>>>>,
    arrived: Arc<tokio::sync::Notify>,
}
