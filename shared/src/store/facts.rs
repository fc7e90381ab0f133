//! Everything that decides why a run moves or does not, at about one moment. `explain.rs` tells it.

use chrono::{DateTime, Utc};

use super::{LimitFacts, QuotaLeft, Result, Store, StreamCounts};
use crate::domain::{Integration, RecordLimit, Run, RunId, StreamId, StreamState};

/// What is known about a run.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// By the clock that leases and delays are counted by.
    pub now: DateTime<Utc>,
    pub run: Run,
    pub integration: Integration,
    pub streams: StreamCounts,
    /// Pending streams that have failed before.
    pub retrying: i64,
    /// Of streams that were given up or are retried, given up first.
    pub first_errors: Vec<StreamError>,
    /// `None` when its kind has no record limit.
    pub quota: Option<QuotaLeft>,
    /// The kind's record limit.
    pub record_limit: Option<RecordLimit>,
    /// Limits on requests that it counts against.
    pub limits: Vec<LimitFacts>,
    /// The generator that sends what is due; `None` if none is alive.
    pub scheduler: Option<SchedulerHolder>,
}

/// What went wrong with a stream, and whether it is over with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamError {
    pub stream: StreamId,
    pub name: String,
    pub state: StreamState,
    pub attempts: i32,
    /// When it is stepped again, if it is.
    pub due_at: DateTime<Utc>,
    pub error: String,
}

/// Who emits ticks and sweeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchedulerHolder {
    pub holder: String,
    pub held_until: DateTime<Utc>,
}

impl Store {
    /// What is known about a run of a kind with this limit; `None` if the run is gone meanwhile.
    pub async fn run_facts(
        &self,
        run: RunId,
        limit: Option<&RecordLimit>,
    ) -> Result<Option<RunFacts>> {
        let Some(run) = self.run(run).await? else { return Ok(None) };
        let Some(integration) = self.integration(run.integration_id).await? else {
            return Ok(None);
        };
        let quota = match limit {
            Some(limit) => Some(self.quota_left(&run.kind, limit, run.mode).await?),
            None => None,
        };
        Ok(Some(RunFacts {
            now: self.now().await?,
            streams: self.count_streams(run.id).await?,
            retrying: self.count_retrying(run.id).await?,
            first_errors: self.first_errors(run.id).await?,
            scheduler: self.scheduler_holder().await?,
            quota,
            record_limit: limit.copied(),
            limits: self.limit_facts(&run, integration.credential_id).await?,
            integration,
            run,
        }))
    }

    async fn count_retrying(&self, run: RunId) -> Result<i64> {
        let retrying = sqlx::query_scalar!(
            r#"
            select count(*) as "count!"
            from integration_streams
            where run_id = $1 and state = 'pending' and error is not null
            "#,
            run.0,
        );
        Ok(retrying.fetch_one(&self.pool).await?)
    }

    async fn first_errors(&self, run: RunId) -> Result<Vec<StreamError>> {
        let errors = sqlx::query_as!(
            StreamError,
            r#"
            select
                id as "stream: StreamId", name, state as "state: StreamState", attempts, due_at,
                error as "error!"
            from integration_streams
            where run_id = $1 and state in ('error', 'pending') and error is not null
            order by state desc, processed_at, due_at, id
            limit 3
            "#,
            run.0,
        );
        Ok(errors.fetch_all(&self.pool).await?)
    }

    /// Who holds the scheduler lease; `None` if nobody does, so that nothing is sent by the sweep.
    pub async fn scheduler_holder(&self) -> Result<Option<SchedulerHolder>> {
        let holder = sqlx::query_as!(
            SchedulerHolder,
            "select holder, held_until from scheduler_lease where name = 'ticks' and held_until > coalesce($1::timestamptz, now())",
            self.clock.in_database(),
        );
        Ok(holder.fetch_optional(&self.pool).await?)
    }
}
