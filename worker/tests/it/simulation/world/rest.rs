//! The end of every list: the world is healed, and must come to rest with everything done.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use shared::queue::Queue;

use super::{World, all_well};
use crate::simulation::forum::Forum;
use crate::simulation::invariants;
use crate::simulation::operations::{Operation, WORKERS};
use crate::simulation::process::Process;

impl World {
    /// Mends everything that can be mended from outside, and works until nothing is left to do.
    pub(super) async fn come_to_rest(&mut self) -> Result<(), String> {
        self.heal().await;
        let mut unfinished = Vec::new();
        for _ in 0..60 {
            self.work().await?;
            self.check_invariants().await?;
            unfinished = self.unfinished().await;
            if unfinished.is_empty() {
                return self.check_the_end().await;
            }
            self.clock.turn_to(self.next_due().await);
        }
        all_well(unfinished)
    }

    async fn heal(&mut self) {
        self.forums.iter().for_each(Forum::heal);
        self.queue.recover();
        for process in &mut self.processes {
            process.wire.lose_nothing();
            process.machine.arrange_nothing();
            process.gate.open();
        }
        for integration in 0..self.integrations.len() {
            self.wish(&Operation::Reconnect(integration));
            self.wish(&Operation::Resume(integration));
        }
    }

    /// Everybody does whatever there is to do now.
    async fn work(&mut self) -> Result<(), String> {
        self.settle().await?;
        self.processes.iter_mut().for_each(Process::beat);
        self.settle().await?;
        self.sweep_once_more().await?;
        while self.queue.depth().await.unwrap() > 0 {
            for nth in 0..WORKERS {
                self.deliver(nth).await;
            }
            self.settle().await?;
        }
        Ok(())
    }

    async fn unfinished(&self) -> Vec<String> {
        let mut unfinished = invariants::unfinished(self.store.pool(), &self.forums).await;
        let messages = self.queue.bodies().len();
        if messages > 0 {
            unfinished.push(format!("{messages} messages are left"));
        }
        unfinished
    }

    /// When something is due: the next message, or the next tick.
    async fn next_due(&self) -> DateTime<Utc> {
        let next: Option<DateTime<Utc>> =
            sqlx::query_scalar("select min(send_at) from integration_runs")
                .fetch_one(self.store.pool())
                .await
                .unwrap();
        let soon = self.clock.now() + Duration::from_secs(60);
        next.map_or(soon, |next| next.max(self.clock.now() + Duration::from_secs(1)))
    }

    async fn check_the_end(&self) -> Result<(), String> {
        let mut wrong =
            invariants::attempts_without_failures(self.store.pool(), &self.forums).await;
        let mut dead = self.queue.dead_letters(100).await.unwrap();
        // Whoever asks for a stream of an ended run must wait until no other is live.
        dead.retain(|letter| !letter.reason.as_ref().is_some_and(|why| why.ends_with("is live")));
        wrong.extend(dead.iter().map(|letter| format!("{letter:?}")));
        let accepted = self.accepted.lock().unwrap().clone();
        for run in accepted {
            let state = self.store.run(run).await.unwrap().map(|run| run.state);
            if !state.is_some_and(|state| state.is_finished()) {
                wrong.push(format!("run {run} was promised, and is {state:?}"));
            }
        }
        all_well(wrong)
    }

    /// What is due was sent a moment ago, so nothing is.
    async fn sweep_once_more(&mut self) -> Result<(), String> {
        let before = self.outside.sent_by_generators.load(Ordering::Relaxed);
        self.processes.iter_mut().for_each(Process::beat);
        self.settle().await?;
        let more = self.outside.sent_by_generators.load(Ordering::Relaxed) - before;
        if more == 0 { Ok(()) } else { Err(format!("{more} messages were sent twice")) }
    }
}
