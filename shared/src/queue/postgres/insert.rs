//! Sending: one statement that finds each group its rounds.

use anyhow::Context;

use super::{PostgresQueue, interval, wakeups};
use crate::queue::Outgoing;

impl PostgresQueue {
    pub(super) async fn insert(
        &self,
        messages: &[Outgoing],
        positions: &[usize],
    ) -> anyhow::Result<()> {
        let chosen = || positions.iter().map(|position| &messages[*position]);
        let bodies: Vec<_> = chosen().map(|message| message.body.clone()).collect();
        let groups: Vec<_> = chosen().map(|message| message.group.clone()).collect();
        let traces: Vec<_> = chosen().map(|message| message.trace.clone()).collect();
        let delays: Vec<_> = chosen().map(|message| interval(message.delay)).collect();
        let statement = sqlx::query!(
            r#"
            with arriving as (
                select body, group_id, trace, delay, position,
                    row_number() over (partition by group_id order by position) - 1 as place
                from unnest($1::text[], $2::text[], $3::text[], $4::interval[]) with ordinality
                    as t (body, group_id, trace, delay, position)
            ),
            this_round as (
                select coalesce(
                    (
                        select min(round)
                        from queue_messages
                        where dead_since is null and visible_at <= coalesce($5, now())
                    ),
                    (select max(round) from queue_messages where dead_since is null),
                    0
                ) as round
            ),
            first_rounds as (
                select group_id, greatest(
                    this_round.round,
                    (
                        select max(message.round) + 1
                        from queue_messages as message
                        where message.group_id = arriving.group_id and message.dead_since is null
                    )
                ) as round
                from (select distinct group_id from arriving) as arriving, this_round
            ),
            stored as (
                insert into queue_messages (body, group_id, trace, round, visible_at, sent_at)
                select body, group_id, trace, first_rounds.round + place,
                    coalesce($5, now()) + delay, coalesce($5, now())
                from arriving
                join first_rounds using (group_id)
                order by position
            )
            select pg_notify($6, '')
            "#,
            &bodies,
            &groups,
            &traces as &[Option<String>],
            &delays,
            self.clock.in_database(),
            wakeups::CHANNEL,
        );
        self.execute(statement).await.context("inserting messages")?;
        Ok(())
    }
}
