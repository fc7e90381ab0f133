//! Who emits ticks, and what a tick starts.

use std::time::Duration;

use uuid::Uuid;

use super::{Result, Store};
use crate::domain::{RequestedBy, Tick};

/// The right to emit ticks and to sweep, while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchedulerLease {
    pub token: Uuid,
}

impl Store {
    /// Takes or keeps the scheduler lease; whether we hold it now. `token` is ours alone.
    pub async fn hold_scheduler(
        &self,
        lease: SchedulerLease,
        holder: &str,
        length: Duration,
    ) -> Result<bool> {
        let held = sqlx::query!(
            r#"
            insert into scheduler_lease (name, token, holder, held_until)
            values ('ticks', $1, $2, coalesce($4::timestamptz, now()) + make_interval(secs => $3))
            on conflict (name) do update
            set token = excluded.token, holder = excluded.holder, held_until = excluded.held_until
            where scheduler_lease.token = excluded.token
                or scheduler_lease.held_until < coalesce($4, now())
            "#,
            lease.token,
            holder,
            length.as_secs_f64(),
            self.clock.in_database(),
        )
        .execute(&self.pool)
        .await?;
        Ok(held.rows_affected() == 1)
    }

    /// Gives the scheduler lease up, so that another generator need not wait for its end.
    pub async fn give_up_scheduler(&self, lease: SchedulerLease) -> Result<()> {
        sqlx::query!("delete from scheduler_lease where token = $1", lease.token)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// How long a tick is on this database: as long as whoever first asked said.
    pub async fn agree_on_tick(&self, length: Duration) -> Result<Duration> {
        let seconds = sqlx::query_scalar!(
            r#"
            insert into tick_length (seconds) values ($1)
            on conflict (one) do update set seconds = tick_length.seconds
            returning seconds
            "#,
            i64::try_from(length.as_secs()).unwrap_or(i64::MAX),
        );
        Ok(Duration::from_secs(seconds.fetch_one(&self.pool).await?.unsigned_abs()))
    }

    /// Fires a tick, unless somebody did: each number is fired at most once.
    pub async fn fire_tick(&self, tick: Tick, holder: &str) -> Result<bool> {
        let fired = sqlx::query!(
            r#"
            insert into ticks (number, holder, fired_at)
            values ($1, $2, coalesce($3::timestamptz, now()))
            on conflict (number) do nothing
            "#,
            tick.0,
            holder,
            self.clock.in_database(),
        )
        .execute(&self.pool)
        .await?;
        Ok(fired.rows_affected() == 1)
    }

    /// Makes a check for up to `limit` integrations of a kind that are due at this tick and have no
    /// live run, and moves all of them on by whole intervals: missed ticks collapse to one, and each
    /// keeps its phase. How many were due, and how many runs were made.
    pub async fn start_due_checks(
        &self,
        kind: &str,
        between: i64,
        tick: Tick,
        limit: i64,
    ) -> Result<(i64, i64)> {
        let row = sqlx::query!(
            r#"
            with due as (
                select id
                from integrations
                where kind = $1 and status = 'active' and next_check_tick <= $2
                order by next_check_tick
                limit $4
                for no key update skip locked
            ), moved as (
                update integrations i
                set next_check_tick = i.next_check_tick + $3 * (($2 - i.next_check_tick) / $3 + 1)
                from due
                where i.id = due.id
                returning i.id
            ), made as (
                insert into integration_runs (id, integration_id, onboarding, requested_by, send_at)
                select uuid_v7(), id, false, $5, coalesce($6::timestamptz, now()) from moved
                on conflict (integration_id) where processed_at is null do nothing
                returning id
            )
            select (select count(*) from moved) as "due!", (select count(*) from made) as "made!"
            "#,
            kind,
            tick.0,
            between,
            limit,
            RequestedBy::Tick.as_str(),
            self.clock.in_database(),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((row.due, row.made))
    }

    /// Notes how many checks came of a tick, and forgets ticks of more than a week ago.
    pub async fn tick_fired(&self, tick: Tick, runs_made: i64) -> Result<()> {
        sqlx::query!(
            r#"
            with noted as (update ticks set runs_made = $2 where number = $1 returning fired_at)
            delete from ticks using noted where ticks.fired_at < noted.fired_at - interval '7 days'
            "#,
            tick.0,
            runs_made,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
