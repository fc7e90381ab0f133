//! Runs: asking for one, looking at them, and putting an ended one back to work.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::idempotency::{Keep, keep};
use super::integrations::lock_integration;
use super::quota::forget_refusals;
use super::{Result, Store, StoreError};
use crate::domain::{
    DelayReason, IntegrationId, IntegrationStatus, RequestedBy, Run, RunId, RunMode, RunState,
    StreamId, TenantId,
};

/// What came of asking for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requested {
    /// The run that was made, or the live one that was joined.
    pub run: RunId,
    pub joined: bool,
    /// The live run is a check: the onboarding that was asked for follows it.
    pub onboarding_follows: bool,
}

/// What came of putting a run back to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continued {
    /// It will be claimed when its message comes.
    Yes,
    /// Another run of its integration is live; two never are.
    AnotherIsLive(RunId),
    /// There is no such run or stream.
    Unknown,
}

impl Store {
    /// Starts a run, or joins the live one. `None` if there is no such integration.
    pub async fn request_run(
        &self,
        integration: IntegrationId,
        mode: RunMode,
        by: RequestedBy,
    ) -> Result<Option<Requested>> {
        let requested = self.request_run_keeping(integration, mode, by, None).await?;
        Ok(requested.map(|(requested, _)| requested))
    }

    /// The same, with the run as it is then, and the answer kept under the request's key.
    pub async fn request_run_keeping(
        &self,
        integration: IntegrationId,
        mode: RunMode,
        by: RequestedBy,
        answer: Option<Keep<'_, (Requested, Run)>>,
    ) -> Result<Option<(Requested, Run)>> {
        let now = self.clock.in_database();
        let mut tx = self.pool.begin().await?;
        let Some(requested) = request_run(&mut tx, integration, mode, by, now).await? else {
            return Ok(None);
        };
        let requested = (requested, run(&mut tx, requested.run).await?);
        if let Some(answer) = answer {
            keep(&mut tx, answer, &requested).await?;
        }
        tx.commit().await?;
        Ok(Some(requested))
    }

    pub async fn run(&self, id: RunId) -> Result<Option<Run>> {
        Ok(select_runs(&self.pool, &[id]).await?.pop())
    }

    /// Puts a run's failed streams back to pending, makes whatever waits due, and asks for a message.
    pub async fn continue_run(&self, run: RunId) -> Result<Continued> {
        self.put_back(run, None).await
    }

    /// Puts one stream back to pending, whatever became of it, and asks for a message about its run.
    pub async fn process_stream_again(&self, run: RunId, stream: StreamId) -> Result<Continued> {
        self.put_back(run, Some(stream)).await
    }

    async fn put_back(&self, run: RunId, stream: Option<StreamId>) -> Result<Continued> {
        let now = self.clock.in_database();
        let mut tx = self.pool.begin().await?;
        let Some(integration) = lock_integration_of(&mut tx, run, stream).await? else {
            return Ok(Continued::Unknown);
        };
        if let Some(other) = live_run(&mut tx, integration).await?.filter(|live| live.run != run) {
            return Ok(Continued::AnotherIsLive(other.run));
        }
        forget_refusals(&mut tx, integration).await?;
        // The run before its streams, as everybody locks them.
        sqlx::query!(
            r#"
            update integration_runs r
            set state = 'pending', delayed_until = null, delay_reason = null, error = null, attempts = 0, crashes = 0,
                processed_at = null, streams_processed = null, streams_failed = null, records = null,
                send_at = case when i.status = 'active' then coalesce($2::timestamptz, now()) end
            from integrations i
            where r.id = $1 and r.state <> 'processing' and i.id = r.integration_id
            "#,
            run.0,
            now,
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            r#"
            update integration_streams
            set state = 'pending', due_at = coalesce($3::timestamptz, now()), attempts = 0, crashes = 0,
                processed_at = null, error = null
            where run_id = $1
                and case when $2::uuid is null then state in ('pending', 'error') else id = $2 and state <> 'processing' end
            "#,
            run.0,
            stream.map(|stream| stream.0),
            now,
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Continued::Yes)
    }

    /// The run a stream belongs to.
    pub async fn run_of_stream(&self, stream: StreamId) -> Result<Option<RunId>> {
        let run = sqlx::query_scalar!(
            r#"select run_id as "run: RunId" from integration_streams where id = $1"#,
            stream.0,
        );
        Ok(run.fetch_optional(&self.pool).await?)
    }
}

/// Starts a run or joins the live one, in the caller's transaction. Locks the integration first, as
/// whoever ends a run does.
pub(super) async fn request_run(
    tx: &mut PgConnection,
    integration: IntegrationId,
    mode: RunMode,
    by: RequestedBy,
    now: Option<DateTime<Utc>>,
) -> Result<Option<Requested>> {
    let Some(status) = lock_integration(tx, integration).await? else { return Ok(None) };
    if let Some(live) = live_run(&mut *tx, integration).await? {
        let onboarding_follows = mode.is_onboarding() && !live.onboarding;
        if onboarding_follows {
            sqlx::query!(
                "update integrations set onboarding_wanted = true where id = $1",
                integration.0
            )
            .execute(tx)
            .await?;
        }
        return Ok(Some(Requested { run: live.run, joined: true, onboarding_follows }));
    }
    let run = RunId::new();
    sqlx::query!(
        r#"
        insert into integration_runs (id, integration_id, onboarding, requested_by, send_at)
        values ($1, $2, $3, $4, case when $5 then coalesce($6::timestamptz, now()) end)
        "#,
        run.0,
        integration.0,
        mode.is_onboarding(),
        by.as_str(),
        status == IntegrationStatus::Active,
        now,
    )
    .execute(tx)
    .await?;
    Ok(Some(Requested { run, joined: false, onboarding_follows: false }))
}

/// A run that is known to be there, as the caller's transaction sees it.
pub(super) async fn run(tx: &mut PgConnection, id: RunId) -> Result<Run> {
    let run = select_runs(tx, &[id]).await?.pop();
    Ok(run.ok_or(sqlx::Error::RowNotFound)?)
}

/// Those of them that are there, newest first.
pub(super) async fn select_runs(executor: impl PgExecutor<'_>, ids: &[RunId]) -> Result<Vec<Run>> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"
        select
            r.id as "id: RunId", i.tenant_id as "tenant_id: TenantId",
            r.integration_id as "integration_id: IntegrationId", i.kind, r.onboarding, r.requested_by,
            r.state as "state: RunState", r.delayed_until, r.delay_reason, r.lease_holder, r.lease_until,
            r.send_at, r.sent_at, r.sends, r.listed_at,
            r.attempts, r.requests, r.created_at, r.started_at, r.processed_at, r.error
        from integration_runs r join integrations i on i.id = r.integration_id
        where r.id = any($1)
        order by r.id desc
        "#,
        &ids,
    )
    .fetch_all(executor)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Run {
            id: row.id,
            tenant_id: row.tenant_id,
            integration_id: row.integration_id,
            kind: row.kind,
            mode: RunMode::from_onboarding(row.onboarding),
            requested_by: row.requested_by,
            state: row.state,
            delayed_until: row.delayed_until,
            delay_reason: row.delay_reason.as_deref().and_then(DelayReason::parse),
            lease_holder: row.lease_holder,
            lease_until: row.lease_until,
            send_at: row.send_at,
            sent_at: row.sent_at,
            sends: row.sends,
            listed_at: row.listed_at,
            attempts: row.attempts,
            requests: row.requests,
            created_at: row.created_at,
            started_at: row.started_at,
            processed_at: row.processed_at,
            error: row.error,
        })
        .collect())
}

struct LiveRun {
    run: RunId,
    onboarding: bool,
}

async fn live_run(
    tx: &mut PgConnection,
    integration: IntegrationId,
) -> Result<Option<LiveRun>, StoreError> {
    let live = sqlx::query_as!(
        LiveRun,
        r#"
        select id as "run: RunId", onboarding
        from integration_runs
        where integration_id = $1 and processed_at is null
        "#,
        integration.0,
    );
    Ok(live.fetch_optional(tx).await?)
}

async fn lock_integration_of(
    tx: &mut PgConnection,
    run: RunId,
    stream: Option<StreamId>,
) -> Result<Option<IntegrationId>> {
    let integration = sqlx::query_scalar!(
        r#"
        select i.id as "id: IntegrationId"
        from integration_runs r join integrations i on i.id = r.integration_id
        where r.id = $1
            and ($2::uuid is null or exists (select from integration_streams where id = $2 and run_id = r.id))
        for no key update of i
        "#,
        run.0,
        stream.map(|stream| stream.0),
    );
    Ok(integration.fetch_optional(tx).await?)
}
