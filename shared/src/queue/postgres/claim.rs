//! Receiving: stamping the messages whose turn it is.

use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};

use super::{FAST_POLL, PostgresQueue, interval, limit};
use crate::queue::limits::{LONGEST_WAIT, MOST_AT_ONCE};
use crate::queue::{Receipt, Received};

impl PostgresQueue {
    /// Stamps the next visible messages, in the order of their rounds. One that has been received
    /// too often becomes a dead letter instead, in passing; so this may need more than one look.
    pub(super) async fn claim(
        &self,
        max: usize,
        now: Option<DateTime<Utc>>,
    ) -> anyhow::Result<Vec<Received>> {
        loop {
            let statement = sqlx::query!(
                r#"
                with due as materialized (
                    select id
                    from queue_messages
                    where dead_since is null and visible_at <= coalesce($1, now())
                    order by round, id
                    limit $2
                    for update skip locked
                )
                update queue_messages as message
                set receives = receives + 1,
                    receipt = gen_random_uuid(),
                    visible_at = coalesce($1, now()) + $3,
                    dead_since = case when receives >= $4 then coalesce($1, now()) end
                from due
                where message.id = due.id
                returning message.id, body, receipt as "receipt!", receives, group_id, trace,
                    sent_at, dead_since is not null as "dead!"
                "#,
                now,
                limit(max.clamp(1, MOST_AT_ONCE)),
                interval(self.redelivery.visibility),
                i32::try_from(self.redelivery.max_receives).unwrap_or(i32::MAX),
            );
            let claimed = self.fetch(statement).await.context("receiving messages")?;
            if !claimed.is_empty() && claimed.iter().all(|row| row.dead) {
                continue;
            }
            let alive = claimed.into_iter().filter(|row| !row.dead);
            return Ok(alive
                .map(|row| Received {
                    body: row.body,
                    receipt: Receipt(format!("{}:{}", row.id, row.receipt)),
                    receives: row.receives.unsigned_abs(),
                    group: Some(row.group_id).filter(|group| !group.is_empty()),
                    trace: row.trace,
                    sent_at: Some(row.sent_at),
                })
                .collect());
        }
    }

    /// When the next invisible message becomes visible, by this machine's clock; in between it is
    /// enough to wake up when told.
    pub(super) async fn next_look(
        &self,
        now: Option<DateTime<Utc>>,
    ) -> anyhow::Result<DateTime<Utc>> {
        let statement = sqlx::query!(
            r#"
            select extract(epoch from min(visible_at) - coalesce($1, now()))::float8 as seconds
            from queue_messages
            where dead_since is null
            "#,
            now,
        );
        let seconds = self.fetch_one(statement.map(|row| row.seconds));
        let seconds = seconds.await.context("looking for the next message")?;
        let longest = LONGEST_WAIT.as_secs_f64();
        let until_next = seconds.map_or(longest, |seconds| seconds.clamp(0.0, longest));
        let until_next = Duration::from_secs_f64(until_next).max(FAST_POLL);
        Ok(now.unwrap_or_else(|| self.clock.now()) + until_next)
    }
}
