//! Which integrations are due at a tick, kind by kind, and the runs that are made for them.

use shared::domain::Tick;
use tracing::{debug, info};

use crate::Generator;

/// Integrations moved on by one statement.
const BATCH: i64 = 5_000;

/// Makes a check for every integration that is due. A crash half-way leaves the rest due: the next
/// tick finds them.
pub async fn start_due(generator: &Generator, tick: Tick) -> anyhow::Result<()> {
    let mut runs = 0;
    for integration in generator.registry.iter() {
        if let Some(between) = integration.checks().ticks_between() {
            runs += start_due_of(generator, integration.kind(), between, tick).await?;
        }
    }
    generator.store.tick_fired(tick, runs).await?;
    if runs > 0 {
        info!(tick = tick.0, runs, "checks are due");
    }
    Ok(())
}

async fn start_due_of(
    generator: &Generator,
    kind: &str,
    between: i64,
    tick: Tick,
) -> anyhow::Result<i64> {
    let mut runs = 0;
    loop {
        let (due, made) = generator.store.start_due_checks(kind, between, tick, BATCH).await?;
        runs += made;
        debug!(kind, due, made, "looked for due integrations");
        if due < BATCH {
            return Ok(runs);
        }
    }
}
