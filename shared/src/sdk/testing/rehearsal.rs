//! One run in memory: begun, listed, its streams stepped until none is left, then closed.
//!
//! What the engine decides by rows and clocks is decided here in the same words (done · again · not
//! now · never), but nobody waits: a stream that may not be stepped now is stepped after the others.
//! Streams are stepped one at a time, in the order in which they were stored.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::connection::{Acquaintances, Pocket};
use super::rows::{Rows, Setback};
use crate::domain::{Activity, Member, Operation, Organization, RunMode};
use crate::sdk::access::Unlimited;
use crate::sdk::erased::Typed;
use crate::sdk::http::counting_requests;
use crate::sdk::{
    Access, Credential, DynIntegration, DynRun, Integration, KnownAccount, Owner, RawConnection,
    RawRunSummary, Result,
};

/// A run that is about to be played. An onboarding with empty settings and nothing remembered, on
/// 2024-05-01 at noon, unless told otherwise.
#[derive(Clone)]
pub struct Rehearsal {
    integration: Arc<dyn DynIntegration>,
    connection: RawConnection,
    dying: bool,
    most_steps: usize,
}

/// A run that was played. Displayed as its trace: a line for each step, and how it ended.
#[derive(Debug)]
pub struct Rehearsed {
    pub ending: Ending,
    /// What the sink was asked to do, in order.
    pub operations: Vec<Operation>,
    /// What the next run would be given as its state.
    pub state: Option<Value>,
    /// Requests to the platform, those that failed included.
    pub requests: u64,
    /// Failures that count against a stream or the run's beginning.
    pub attempts_spent: usize,
    /// The rests that were asked for, by the platform or by the integration.
    pub waits: Vec<Duration>,
    trace: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything was read.
    Processed,
    /// So many streams were given up; the others were processed.
    Hole {
        streams: usize,
    },
    /// It could not be begun, or not be closed.
    Failed,
    NeedsReconnect,
    /// After a hundred thousand steps, or a thousand rests, we stopped looking.
    Endless,
}

impl Rehearsal {
    pub fn of(integration: impl Integration) -> Self {
        Self::of_dyn(Arc::new(Typed(Arc::new(integration))))
    }

    pub(super) fn of_dyn(integration: Arc<dyn DynIntegration>) -> Self {
        let started_at = "2024-05-01T12:00:00Z".parse().expect("an instant");
        let connection = RawConnection::new(json!({}), started_at, Access::open());
        Self { integration, connection, dying: false, most_steps: 100_000 }
    }

    #[must_use]
    pub fn settings(mut self, settings: Value) -> Self {
        self.connection.settings = settings;
        self
    }

    /// What an earlier run left.
    #[must_use]
    pub fn state(mut self, state: impl Into<Option<Value>>) -> Self {
        self.connection.state = state.into();
        self
    }

    /// The external sync units that were chosen.
    #[must_use]
    pub fn units(mut self, units: &[&str]) -> Self {
        self.connection.units = units.iter().map(|&unit| unit.to_owned()).collect();
        self
    }

    /// The credential that was connected. It is renewed as the integration says, and stays renewed.
    /// Whose it is was not to be learnt.
    #[must_use]
    pub fn credential(self, credential: Credential) -> Self {
        self.connected(credential, None)
    }

    /// As [`Rehearsal::credential`], and known to be this owner's.
    #[must_use]
    pub fn credential_of(self, owner: Owner, credential: Credential) -> Self {
        self.connected(credential, Some(owner))
    }

    fn connected(mut self, credential: Credential, owner: Option<Owner>) -> Self {
        let keys = Pocket::new(Arc::clone(&self.integration), credential, owner);
        self.connection.access = Access::new(Arc::new(keys), Arc::new(Unlimited));
        self
    }

    /// Who is a member already.
    #[must_use]
    pub fn members(mut self, accounts: Vec<(&'static str, KnownAccount)>) -> Self {
        self.connection.directory = Arc::new(Acquaintances(accounts));
        self
    }

    /// A check instead of an onboarding.
    #[must_use]
    pub fn check(mut self) -> Self {
        self.connection.mode = RunMode::Check;
        self
    }

    /// When the run starts, as RFC 3339. Panics if it is not.
    #[must_use]
    pub fn at(mut self, started_at: &str) -> Self {
        let parsed = DateTime::parse_from_rfc3339(started_at);
        self.connection.started_at = parsed.expect("an instant in RFC 3339").with_timezone(&Utc);
        self
    }

    /// Lets its worker die over every page, once it is fetched and before it is committed: another
    /// begins the run anew and steps the stream again.
    #[must_use]
    pub fn dying_over_every_page(mut self) -> Self {
        self.dying = true;
        self
    }

    #[must_use]
    pub(super) fn most_steps(mut self, steps: usize) -> Self {
        self.most_steps = steps;
        self
    }

    pub async fn run(&self) -> Rehearsed {
        let mut rows = Rows::default();
        let mut state = self.connection.state.clone();
        let playing = self.play(&mut rows, &mut state);
        let (ending, requests) = counting_requests(playing).await;
        let ending = match ending {
            Ok(()) => rows.ending(),
            Err(ending) => ending,
        };
        rows.trace.push(format!("the run -> {ending}"));
        Rehearsed {
            ending,
            state,
            requests,
            operations: rows.operations,
            attempts_spent: rows.attempts_spent,
            waits: rows.waits,
            trace: rows.trace,
        }
    }

    async fn play(&self, rows: &mut Rows, state: &mut Option<Value>) -> Result<(), Ending> {
        let mut run = self.begin(rows).await?;
        let mut steps = 0;
        while let Some(pending) = rows.take() {
            steps += 1;
            if steps > self.most_steps {
                return Err(Ending::Endless);
            }
            if self.dying {
                drop(run.process_stream(&pending.stream).await);
                run = self.begin(rows).await?;
            }
            match run.process_stream(&pending.stream).await {
                Ok(page) => rows.commit(pending, page),
                Err(error) => rows.set_back(pending, error)?,
            }
        }
        if let Some(remembered) = self.close(rows, &*run).await? {
            *state = Some(remembered);
        }
        Ok(())
    }

    /// The run, begun for the first time or anew; its first streams are listed once.
    async fn begin(&self, rows: &mut Rows) -> Result<Arc<dyn DynRun>, Ending> {
        let mut failures = 0;
        loop {
            match self.try_begin(rows).await {
                Ok(run) => return Ok(run),
                Err(error) => rows.set_run_back("beginning", &Setback::of(error, &mut failures))?,
            }
        }
    }

    async fn try_begin(&self, rows: &mut Rows) -> Result<Arc<dyn DynRun>> {
        let run = self.integration.begin(self.connection.clone()).await?;
        if !rows.listed {
            rows.list(run.streams().await?);
        }
        Ok(run)
    }

    async fn close(&self, rows: &mut Rows, run: &dyn DynRun) -> Result<Option<Value>, Ending> {
        let mut failures = 0;
        loop {
            let summary = RawRunSummary { streams: rows.ended() };
            match run.postprocess(summary).await {
                Ok(remembered) => return Ok(remembered),
                Err(error) => rows.set_run_back("closing", &Setback::of(error, &mut failures))?,
            }
        }
    }
}

impl Rehearsed {
    pub fn activities(&self) -> impl Iterator<Item = &Activity> {
        self.operations.iter().flat_map(|operation| match operation {
            Operation::UpsertActivities(activities) => activities.as_slice(),
            _ => &[],
        })
    }

    /// Those that were asked for themselves, besides the members of activities.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.operations.iter().flat_map(|operation| match operation {
            Operation::UpsertMembers(members) => members.as_slice(),
            _ => &[],
        })
    }

    pub fn organizations(&self) -> impl Iterator<Item = &Organization> {
        self.operations.iter().flat_map(|operation| match operation {
            Operation::UpsertOrganizations(organizations) => organizations.as_slice(),
            _ => &[],
        })
    }
}

impl Display for Rehearsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.trace.join("\n"))
    }
}

impl Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Processed => f.write_str("processed"),
            Self::Hole { streams } => write!(f, "error: {streams} streams given up"),
            Self::Failed => f.write_str("error"),
            Self::NeedsReconnect => f.write_str("needs to be reconnected"),
            Self::Endless => f.write_str("no end in sight"),
        }
    }
}
