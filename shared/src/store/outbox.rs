//! Which runs need a message. There is no outbox table: a live run says itself when its next
//! message is due. Made or handed back: now. Delayed: when the delay ends. Leased: when the lease
//! ends, which its holder keeps moving. Sent: after a while, in case the message was lost.

use chrono::{DateTime, Utc};

use super::{Result, Store};
use crate::domain::{RunId, TenantId};

/// A message that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueMessage {
    pub run: RunId,
    pub tenant: TenantId,
}

impl Store {
    /// Runs whose message is due, longest due first.
    pub async fn due_messages(&self, limit: i64) -> Result<Vec<DueMessage>> {
        let due = sqlx::query_as!(
            DueMessage,
            r#"
            with due as (
                select id, integration_id, send_at
                from integration_runs
                where send_at <= coalesce($2::timestamptz, now())
                order by send_at
                limit $1
            )
            select due.id as "run: RunId", i.tenant_id as "tenant: TenantId"
            from due
            -- One by one: a join may read all integrations there are.
            cross join lateral (select tenant_id from integrations where id = due.integration_id limit 1) i
            order by due.send_at
            "#,
            limit,
            self.clock.in_database(),
        );
        Ok(due.fetch_all(&self.pool).await?)
    }

    /// Notes that messages were sent. Should one be lost, the next is due after a minute, then two,
    /// four, eight and at last every fifteen, so that a long queue is not made longer.
    ///
    /// `due_by` is when they were found to be due, if that was a while ago: a run that was claimed since
    /// then and is due once more wants another message.
    pub async fn messages_sent(&self, runs: &[RunId], due_by: Option<DateTime<Utc>>) -> Result<()> {
        let runs: Vec<_> = runs.iter().map(|run| run.0).collect();
        sqlx::query!(
            r#"
            update integration_runs
            set sent_at = coalesce($2::timestamptz, now()),
                send_at = coalesce($2, now()) + least(interval '1 minute' * power(2, least(sends, 10)), interval '15 minutes'),
                sends = sends + 1
            -- A run that was claimed or ended meanwhile has said otherwise.
            where id = any($1) and send_at <= coalesce($3, $2, now())
            "#,
            &runs,
            self.clock.in_database(),
            due_by,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// How many runs wait for their message to be sent, for the gauge `outbox_backlog`.
    pub async fn outbox_backlog(&self) -> Result<i64> {
        let backlog = sqlx::query_scalar!(
            r#"select count(*) as "count!" from integration_runs where send_at <= coalesce($1::timestamptz, now())"#,
            self.clock.in_database(),
        );
        Ok(backlog.fetch_one(&self.pool).await?)
    }
}
