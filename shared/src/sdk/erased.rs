//! The engine's side of an integration: the same doors, with JSON instead of the author's types.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::directory::Nobody;
use super::{
    Access, Connection, Directory, EndedStream, Integration, Owner, Result, Run, RunSummary,
    StreamOutput, SyncError,
};
use crate::domain::{
    CheckSchedule, Credential, CredentialType, ExternalSyncUnit, MemberAttribute, RawStream,
    RecordLimit, RunMode,
};

/// An integration as the registry holds it.
#[async_trait]
pub trait DynIntegration: Send + Sync {
    fn kind(&self) -> &'static str;
    fn platform(&self) -> &'static str;
    fn checks(&self) -> CheckSchedule;
    fn credentials(&self) -> &'static [CredentialType];
    fn limit(&self) -> Option<RecordLimit>;
    fn concurrency(&self) -> usize;
    fn member_attributes(&self) -> Vec<MemberAttribute>;
    /// Whether the settings decode; the error names the field.
    fn check_settings(&self, settings: &Value) -> Result<(), InvalidSettings>;
    async fn verify(&self, connection: RawConnection) -> Result<()>;
    async fn identify(&self, access: &Access) -> Result<Owner>;
    async fn renew(&self, credential: &Credential) -> Result<Credential>;
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
#[derive(Clone)]
pub struct RawConnection {
    pub mode: RunMode,
    pub started_at: DateTime<Utc>,
    pub settings: Value,
    /// `None` before the first run that remembered something.
    pub state: Option<Value>,
    pub units: Vec<String>,
    pub access: Access,
    pub directory: Arc<dyn Directory>,
}

impl RawConnection {
    /// What is known when a tenant connects: no run, nothing remembered, everything chosen, nobody
    /// met.
    pub fn new(settings: Value, now: DateTime<Utc>, access: Access) -> Self {
        Self {
            mode: RunMode::Onboarding,
            started_at: now,
            settings,
            state: None,
            units: Vec::new(),
            access,
            directory: Arc::new(Nobody),
        }
    }
}

/// Streams as they are stored: JSON, in text.
pub type RawRunSummary = RunSummary<String>;

/// The settings do not fit the kind.
#[derive(Debug, thiserror::Error)]
#[error("settings of `{kind}`: {problem}")]
pub struct InvalidSettings {
    pub kind: &'static str,
    pub problem: Undecodable,
}

/// JSON that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", at(field))]
pub struct Undecodable {
    /// Where, as `feeds[2].url`; empty when the whole is meant.
    pub field: String,
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

    fn platform(&self) -> &'static str {
        I::PLATFORM
    }

    fn credentials(&self) -> &'static [CredentialType] {
        I::CREDENTIALS
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
            .map_err(|problem| InvalidSettings { kind: I::KIND, problem })
    }

    async fn verify(&self, connection: RawConnection) -> Result<()> {
        self.0.verify(&typed(connection)?).await
    }

    async fn identify(&self, access: &Access) -> Result<Owner> {
        self.0.identify(access).await
    }

    async fn renew(&self, credential: &Credential) -> Result<Credential> {
        self.0.renew(credential).await
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
            mark: output.mark,
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
                    stream: serde_json::from_str(&ended.stream).ok()?,
                    failed: ended.failed,
                    mark: ended.mark,
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
    let RawConnection { mode, started_at, units, access, directory, .. } = raw;
    Ok(Connection { mode, started_at, settings, state, units, access, directory })
}

fn decode<T: DeserializeOwned>(json: &Value) -> Result<T, Undecodable> {
    serde_path_to_error::deserialize(json).map_err(Undecodable::from)
}

impl From<serde_path_to_error::Error<serde_json::Error>> for Undecodable {
    fn from(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let parent = error.path().iter().next().map(|_| error.path().to_string());
        let problem = error.into_inner().to_string();
        // The path of a field that is missing ends above it; serde's sentence names it.
        let missing =
            problem.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let field = parent.into_iter().chain(missing.map(str::to_owned)).collect::<Vec<_>>();
        Self { field: field.join("."), problem }
    }
}

fn at(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!("`{field}`: ") }
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only decoded")]
    struct Settings {
        feeds: Vec<Feed>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only decoded")]
    struct Feed {
        url: String,
    }

    #[test]
    fn what_does_not_decode_is_named_by_its_path() {
        let problem = |json| decode::<Settings>(&json).unwrap_err();
        let field = |json| problem(json).field;
        assert_eq!(field(json!({"feeds": [{"url": "a"}, {"url": 7}]})), "feeds[1].url");
        assert_eq!(field(json!({"feeds": [{}]})), "feeds[0].url");
        assert_eq!(field(json!({})), "feeds");
        assert_eq!(field(json!({"feeds": [], "limit": 3})), "limit");
        assert_eq!(field(json!("none")), "");
        assert_eq!(problem(json!({})).to_string(), "`feeds`: missing field `feeds`");
        assert!(problem(json!(null)).to_string().starts_with("invalid type: null"));
    }
}
