//! `millrace runs`: a list, newest first.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use serde::Serialize;
use shared::config::DatabaseArgs;
use shared::domain::{DelayReason, IntegrationId, Run, RunId, RunMode, RunState, TenantId};
use shared::store::RunFilter;

use crate::moment::{moment, moment_or_dash};
use crate::{connections, stdout, tenants};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only those of one integration
    #[arg(long)]
    integration: Option<IntegrationId>,
    /// Only those of one tenant, by id or name
    #[arg(long)]
    tenant: Option<String>,
    /// Only those in one state
    #[arg(long)]
    state: Option<State>,
    /// How many, at the most
    #[arg(long, default_value = "20")]
    limit: u32,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum State {
    /// To be claimed by a worker
    Pending,
    /// In the hands of a worker
    Processing,
    /// Waiting for a time
    Delayed,
    /// Ended, every stream processed
    Processed,
    /// Ended with a hole
    Error,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let store = connections::store(&args.database).await?;
    let tenant = tenants::find_if_named(&store, args.tenant.as_deref()).await?;
    let filter = RunFilter {
        tenant,
        integration: args.integration,
        state: args.state.map(RunState::from),
        before: None,
    };
    let runs = store.runs(filter, i64::from(args.limit)).await?;
    if args.json {
        let views: Vec<_> = runs.into_iter().map(RunView::from).collect();
        stdout::json(&views)?;
    } else {
        let now = store.now().await?;
        let header = ["RUN", "INTEGRATION", "KIND", "MODE", "STATE", "CREATED", "ENDED", "ERROR"];
        stdout::table(header, runs.iter().map(|run| row(run, now)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(run: &Run, now: DateTime<Utc>) -> [String; 8] {
    let error = run.error.as_deref().unwrap_or("-");
    [
        run.id.to_string(),
        run.integration_id.to_string(),
        run.kind.clone(),
        run.mode.as_str().into(),
        run.state.as_str().into(),
        moment(run.created_at, now),
        moment_or_dash(run.processed_at, now),
        stdout::excerpt(error, 60),
    ]
}

impl From<State> for RunState {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Processing => Self::Processing,
            State::Delayed => Self::Delayed,
            State::Processed => Self::Processed,
            State::Error => Self::Error,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct RunView {
    id: RunId,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    kind: String,
    mode: RunMode,
    requested_by: String,
    state: RunState,
    delayed_until: Option<DateTime<Utc>>,
    delay_reason: Option<DelayReason>,
    lease_holder: Option<String>,
    lease_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    processed_at: Option<DateTime<Utc>>,
    error: Option<String>,
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        Self {
            id: run.id,
            tenant_id: run.tenant_id,
            integration_id: run.integration_id,
            kind: run.kind,
            mode: run.mode,
            requested_by: run.requested_by,
            state: run.state,
            delayed_until: run.delayed_until,
            delay_reason: run.delay_reason,
            lease_holder: run.lease_holder,
            lease_until: run.lease_until,
            created_at: run.created_at,
            started_at: run.started_at,
            processed_at: run.processed_at,
            error: run.error,
        }
    }
}
