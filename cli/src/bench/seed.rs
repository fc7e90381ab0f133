//! What has to lie in a database before something can be measured. Plain SQL, since no product would
//! ever do this.

use anyhow::Context;
use shared::domain::{RunId, Tick};
use sqlx::{Executor, PgPool};

/// Integrations by the hundred for each tenant, at phases spread over the ticks from this one on.
pub(super) async fn integrations(
    pool: &PgPool,
    kind: &str,
    many: usize,
    tick: Tick,
    ticks_between: u32,
) -> anyhow::Result<()> {
    let seeded = sqlx::query(
        "with tenant as (
            insert into tenants (id, name)
            select uuid_v7(), 'tenant ' || n from generate_series(1, greatest($2 / 100, 1)) n
            returning id
        ), numbered as (
            select id, row_number() over () - 1 as place from tenant
        )
        insert into integrations (id, tenant_id, kind, settings, next_check_tick, onboarded_at)
        select uuid_v7(), numbered.id, $1, '{}', $3 + n % $4, now()
        from generate_series(0, $2 - 1) n
        join numbered on numbered.place = n % greatest($2 / 100, 1)",
    );
    seeded
        .bind(kind)
        .bind(many as i64)
        .bind(tick.0)
        .bind(i64::from(ticks_between))
        .execute(pool)
        .await
        .context("seeding integrations")?;
    pool.execute("vacuum analyze").await?;
    Ok(())
}

/// Streams of the run that have ended.
pub(super) async fn finished_streams(pool: &PgPool, run: RunId, many: usize) -> anyhow::Result<()> {
    let seeded = sqlx::query(
        "insert into integration_streams (
            id, run_id, name, payload, state, due_at, requests, created_at, processed_at
        )
        select
            uuid_v7(), $1, 'nothing', jsonb_build_object('stream', 'nothing', 'number', -n), 'processed',
            now() - interval '1 day', 1, now() - interval '1 day', now() - interval '1 hour'
        from generate_series(1, $2) n",
    );
    // The service's bound on a statement's time is not for this one.
    let mut connection = pool.acquire().await?;
    connection.execute("set statement_timeout = 0").await?;
    let seeded = seeded.bind(run.0).bind(many as i64).execute(&mut *connection).await;
    seeded.context("seeding finished streams")?;
    // Once now, and not in the middle of what is measured.
    connection.execute("vacuum analyze integration_streams").await?;
    connection.execute("alter table integration_streams set (autovacuum_enabled = off)").await?;
    connection.close_on_drop();
    Ok(())
}
