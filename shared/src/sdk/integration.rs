//! The trait an integration implements.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::access::cannot_be_renewed;
use super::{Access, Directory, Result, RunSummary, StreamOutput};
use crate::domain::{
    CheckSchedule, Credential, CredentialType, ExternalSyncUnit, MemberAttribute, RecordLimit,
    RunMode,
};

/// A platform we can sync from. The associated types are yours; the engine sees them only as JSON.
///
/// Called in this order: `preprocess` each time a worker takes up the run, `streams` unless the run
/// resumes, then for each due stream `process_stream` (and, if it has a next page,
/// `is_processing_finished`), and `postprocess` once at the end. Every method may run again after a
/// crash: fetch, decide, return. The engine does the writing.
pub trait Integration: Sized + Send + Sync + 'static {
    /// Stable text in rows and messages; types get renamed, rows do not.
    const KIND: &'static str;
    const CHECKS: CheckSchedule;
    const LIMIT: Option<RecordLimit> = None;
    /// Whose accounts the members have, and whose credentials let us in. Two kinds may share one.
    const PLATFORM: &'static str = Self::KIND;
    /// The credentials it works with; none: the platform is open to everybody.
    const CREDENTIALS: &'static [CredentialType] = &[];
    /// How many streams of one run are stepped at a time.
    const CONCURRENCY: usize = 8;

    /// What the tenant entered when connecting.
    type Settings: DeserializeOwned + Send + Sync;
    /// What we remember between runs.
    type State: Serialize + DeserializeOwned + Default + Send + Sync;
    /// What one run loads up front and every stream may read.
    type Prepared: Send + Sync;
    /// One unit of resumable work: an enum tagged `stream`. Stored, so its serialized form outlives
    /// a deploy.
    type Stream: Serialize + DeserializeOwned + Debug + Send + Sync;

    fn preprocess(
        &self,
        connection: &Connection<Self>,
    ) -> impl Future<Output = Result<Self::Prepared>> + Send;

    fn streams(&self, run: &Run<Self>) -> impl Future<Output = Result<Vec<Self::Stream>>> + Send;

    fn process_stream(
        &self,
        stream: &Self::Stream,
        run: &Run<Self>,
    ) -> impl Future<Output = Result<StreamOutput<Self::Stream>>> + Send;

    /// Whether the page in hand makes its next page unnecessary. Asked only if there is a next page.
    fn is_processing_finished(
        &self,
        _: &Self::Stream,
        _: &StreamOutput<Self::Stream>,
        _: &Run<Self>,
    ) -> bool {
        false
    }

    /// What to remember for the next run; `None` leaves what is remembered as it is.
    fn postprocess(
        &self,
        _: &Run<Self>,
        _: &RunSummary<Self::Stream>,
    ) -> impl Future<Output = Result<Option<Self::State>>> + Send {
        async { Ok(None) }
    }

    /// What members of this platform have, beyond a name. Defined once per tenant by the engine.
    fn member_attributes(&self) -> Vec<MemberAttribute> {
        Vec::new()
    }

    /// Asks the platform whether these settings can work, with as few requests as possible. Called
    /// when a tenant connects; an error's text is shown to them.
    fn verify(&self, _: &Connection<Self>) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Asks the platform, in one cheap request, whose credential this is. Called when a tenant
    /// brings one; an error's text is shown to them.
    fn identify(&self, _: &Access) -> impl Future<Output = Result<Owner>> + Send {
        async { Ok(Owner::default()) }
    }

    /// Gets a new token with what is left of a renewable credential: another access token, and for
    /// those that rotate it another refresh token. `Unauthorized` when only a person can help.
    ///
    /// The token's life is counted from before the request: an answer may be long on its way.
    ///
    /// Called by one worker at a time. Its answer is stored before anybody uses it, so it makes no
    /// other use of it.
    fn renew(&self, _: &Credential) -> impl Future<Output = Result<Credential>> + Send {
        async { Err(cannot_be_renewed()) }
    }

    /// The units (repositories, channels, …) the connection can see.
    fn discover(
        &self,
        _: &Connection<Self>,
    ) -> impl Future<Output = Result<Vec<ExternalSyncUnit>>> + Send {
        async { Ok(Vec::new()) }
    }
}

/// What is known before a run has prepared itself.
pub struct Connection<I: Integration> {
    pub mode: RunMode,
    /// When the run was first claimed.
    pub started_at: DateTime<Utc>,
    pub settings: I::Settings,
    pub state: I::State,
    /// External sync units chosen when connecting; empty: all there are.
    pub units: Vec<String>,
    /// The way in.
    pub access: Access,
    /// The tenant's members.
    pub directory: Arc<dyn Directory>,
}

/// What every stream of a run may read.
pub struct Run<I: Integration> {
    pub connection: Connection<I>,
    pub prepared: I::Prepared,
}

impl<I: Integration> Run<I> {
    /// Whether a check may stop at this instant: it lies further back than `horizon` before the run.
    pub fn is_past(&self, horizon: Duration, at: DateTime<Utc>) -> bool {
        self.connection.mode == RunMode::Check && at < self.connection.started_at - horizon
    }
}

/// Whose credential it is, in the platform's words: a workspace, a guild, a person, an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    pub id: String,
    pub name: String,
}
