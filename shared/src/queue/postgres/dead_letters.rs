//! Dead letters: the messages of the same table that have a `dead_since`.

use anyhow::Context;

use super::{PostgresQueue, limit, parse, wakeups};
use crate::queue::{DeadLetter, Receipt};

impl PostgresQueue {
    pub(super) async fn bury(&self, receipt: &Receipt, reason: &str) -> anyhow::Result<()> {
        let (id, receipt) = parse(receipt)?;
        let statement = sqlx::query!(
            r#"
            update queue_messages
            set dead_since = coalesce($3, now()), dead_reason = $4
            where id = $1 and receipt = $2 and dead_since is null
            "#,
            id,
            receipt,
            self.clock.in_database(),
            reason.replace('\0', "\u{FFFD}"),
        );
        self.execute(statement).await.context("moving a message to the dead letters")?;
        Ok(())
    }

    pub(super) async fn list_dead_letters(&self, max: usize) -> anyhow::Result<Vec<DeadLetter>> {
        let statement = sqlx::query_as!(
            DeadLetter,
            r#"
            select body, dead_reason as reason
            from queue_messages
            where dead_since is not null
            order by dead_since, id
            limit $1
            "#,
            limit(max),
        );
        self.fetch(statement).await.context("listing the dead letters")
    }

    /// They join the rounds like messages just sent, each group's one after the other.
    pub(super) async fn revive_dead_letters(&self, max: usize) -> anyhow::Result<usize> {
        let statement = sqlx::query!(
            r#"
            with revived as materialized (
                select id, group_id
                from queue_messages
                where dead_since is not null
                order by dead_since, id
                limit $1
                for update skip locked
            ),
            placed as (
                select id, row_number() over (partition by group_id order by id) - 1 as place
                from revived
            ),
            this_round as (
                select coalesce(min(round), 0) as round
                from queue_messages
                where dead_since is null and visible_at <= coalesce($2, now())
            ),
            requeued as (
                update queue_messages as message
                set dead_since = null, dead_reason = null, receives = 0, receipt = null,
                    visible_at = coalesce($2, now()), sent_at = coalesce($2, now()),
                    round = this_round.round + placed.place
                from placed, this_round
                where message.id = placed.id
                returning message.id
            ),
            announced as (
                select pg_notify($3, '')
            )
            select count(*) as "count!" from requeued, announced
            "#,
            limit(max),
            self.clock.in_database(),
            wakeups::CHANNEL,
        );
        let count = self.fetch_one(statement.map(|row| row.count));
        let count = count.await.context("sending dead letters again")?;
        usize::try_from(count).context("a count is not negative")
    }
}
