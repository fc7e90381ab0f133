//! The engine's side of an integration: the same doors, with JSON instead of the author's types.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Connection, EndedStream, ExternalSyncUnit, Integration, Result, Run, RunSummary, StreamOutput,
    SyncError,
};
use crate::domain::{CheckSchedule, MemberAttribute, RawStream, RecordLimit, RunMode};

/// An integration as the registry holds it.
#[async_trait]
pub trait DynIntegration: Send + Sync {
    fn kind(&self) -> &'static str;
    fn checks(&self) -> CheckSchedule;
    fn limit(&self) -> Option<RecordLimit>;
    fn concurrency(&self) -> usize;
    fn member_attributes(&self) -> Vec<MemberAttribute>;
    /// Whether the settings decode; the error names the field.
    fn check_settings(&self, settings: &Value) -> Result<(), InvalidSettings>;
    async fn verify(&self, connection: RawConnection) -> Result<()>;
    async fn discover(&self, connection: RawConnection) -> Result<Vec<ExternalSyncUnit>>;
    /// Decodes the settings and preprocesses.
    async fn begin(&self, connection: RawConnection) -> Result<Arc<dyn DynRun>>;
}

/// One run, with its settings and what it prepared inside.
#[async_trait]
pub trait DynRun: Send + Sync {
    async fn streams(&self) -> Result<Vec<RawStream>>;
    async fn process_stream(&self, stream: &RawStream) -> Result<StreamOutput<RawStream>>;
    async fn postprocess(&self, summary: RawRunSummary) -> Result<Option<Value>>;
}

/// A connection before its settings and state are decoded.
#[derive(Clone, Debug)]
pub struct RawConnection {
    pub mode: RunMode,
    pub started_at: DateTime<Utc>,
    pub settings: Value,
    /// `None` before the first run that remembered something.
    pub state: Option<Value>,
    pub units: Vec<String>,
}

pub type RawRunSummary = RunSummary<RawStream>;

/// The settings do not fit the kind.
#[derive(Debug, thiserror::Error)]
#[error("settings of `{kind}`: {problem}")]
pub struct InvalidSettings {
    pub kind: &'static str,
    /// Names the field.
    pub problem: String,
}

pub(super) struct Typed<I>(pub(super) Arc<I>);

struct TypedRun<I: Integration> {
    integration: Arc<I>,
    run: Run<I>,
}

#[async_trait]
impl<I: Integration> DynIntegration for Typed<I> {
    fn kind(&self) -> &'static str {
        I::KIND
    }

    fn checks(&self) -> CheckSchedule {
        I::CHECKS
    }

    fn limit(&self) -> Option<RecordLimit> {
        I::LIMIT
    }

    fn concurrency(&self) -> usize {
        I::CONCURRENCY
    }

    fn member_attributes(&self) -> Vec<MemberAttribute> {
        self.0.member_attributes()
    }

    fn check_settings(&self, settings: &Value) -> Result<(), InvalidSettings> {
        decode::<I::Settings>(settings)
            .map(drop)
            .map_err(|problem| InvalidSettings { kind: I::KIND, problem: problem.to_string() })
    }

    async fn verify(&self, connection: RawConnection) -> Result<()> {
        self.0.verify(&typed(connection)?).await
    }

    async fn discover(&self, connection: RawConnection) -> Result<Vec<ExternalSyncUnit>> {
        self.0.discover(&typed(connection)?).await
    }

    async fn begin(&self, connection: RawConnection) -> Result<Arc<dyn DynRun>> {
        let connection = typed::<I>(connection)?;
        let prepared = self.0.preprocess(&connection).await?;
        let run = Run { connection, prepared };
        Ok(Arc::new(TypedRun { integration: Arc::clone(&self.0), run }))
    }
}

#[async_trait]
impl<I: Integration> DynRun for TypedRun<I> {
    async fn streams(&self) -> Result<Vec<RawStream>> {
        self.integration.streams(&self.run).await?.iter().map(raw).collect()
    }

    async fn process_stream(&self, stream: &RawStream) -> Result<StreamOutput<RawStream>> {
        let stream: I::Stream = decode(&stream.payload)
            .context("the stored stream does not match this version")
            .map_err(SyncError::Permanent)?;
        let mut output = self.integration.process_stream(&stream, &self.run).await?;
        if output.next_page.is_some()
            && self.integration.is_processing_finished(&stream, &output, &self.run)
        {
            output.next_page = None;
        }
        Ok(StreamOutput {
            new_streams: output.new_streams.iter().map(raw).collect::<Result<_>>()?,
            next_page: output.next_page.as_ref().map(raw).transpose()?,
            operations: output.operations,
            last_record: output.last_record,
            sleep: output.sleep,
        })
    }

    /// Streams stored by another version that no longer decode are left out of the summary: they
    /// have failed, and their error says so.
    async fn postprocess(&self, summary: RawRunSummary) -> Result<Option<Value>> {
        let streams = summary
            .streams
            .into_iter()
            .filter_map(|ended| {
                Some(EndedStream {
                    stream: decode(&ended.stream.payload).ok()?,
                    failed: ended.failed,
                })
            })
            .collect();
        let state = self.integration.postprocess(&self.run, &RunSummary { streams }).await?;
        Ok(state
            .map(|state| serde_json::to_value(state).context("encoding the state"))
            .transpose()?)
    }
}

/// Here JSON becomes the author's types. Settings or state that do not decode need somebody to mend
/// them: no retry helps.
fn typed<I: Integration>(raw: RawConnection) -> Result<Connection<I>> {
    let settings = decode(&raw.settings)
        .with_context(|| format!("settings of `{}`", I::KIND))
        .map_err(SyncError::Permanent)?;
    let state = raw
        .state
        .as_ref()
        .map(decode)
        .transpose()
        .with_context(|| format!("remembered state of `{}`", I::KIND))
        .map_err(SyncError::Permanent)?
        .unwrap_or_default();
    Ok(Connection { mode: raw.mode, started_at: raw.started_at, settings, state, units: raw.units })
}

fn decode<T: DeserializeOwned>(json: &Value) -> Result<T, serde_json::Error> {
    T::deserialize(json)
}

/// Here the author's stream becomes JSON; its tag is its name.
fn raw<S: Serialize>(stream: &S) -> Result<RawStream> {
    let payload = serde_json::to_value(stream).context("encoding a stream")?;
    let name = payload
        .get("stream")
        .and_then(Value::as_str)
        .ok_or_else(|| {
            anyhow!("a stream must be an enum with `#[serde(tag = \"stream\")]`, not {payload}")
        })?
        .to_owned();
    Ok(RawStream { name, payload })
}
