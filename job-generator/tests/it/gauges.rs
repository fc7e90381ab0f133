//! What every generator measures, once a tick.

use job_generator::Scheduler;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use sqlx::PgPool;

use crate::stage::Stage;

/// Those of one generator.
struct Gauges(PrometheusRecorder);

impl Gauges {
    fn new() -> Self {
        Self(PrometheusBuilder::new().build_recorder())
    }

    async fn while_beats(&self, generator: &mut Scheduler) -> anyhow::Result<()> {
        let _recording = metrics::set_default_local_recorder(&self.0);
        generator.beat().await
    }

    #[track_caller]
    fn assert(&self, backlog: i64, depth: i64) {
        let text = self.0.handle().render();
        for line in [format!("outbox_backlog {backlog}"), format!("queue_depth {depth}")] {
            assert!(text.lines().any(|it| it == line), "{line} is missing in:\n{text}");
        }
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn whoever_does_not_lead_measures_too_once_a_tick(pool: PgPool) {
    let stage = Stage::set(pool).await;
    stage.connect_many("restless", 5).await;
    let mut leader = stage.generator("first");
    let mut other = stage.generator("second");
    let gauges = Gauges::new();
    stage.next_tick();
    leader.beat().await.unwrap();
    gauges.while_beats(&mut other).await.unwrap();
    gauges.assert(0, 5);

    stage.work().await;
    gauges.while_beats(&mut other).await.unwrap();
    gauges.assert(0, 5);
    stage.next_tick();
    leader.beat().await.unwrap();
    stage.work().await;
    gauges.while_beats(&mut other).await.unwrap();
    gauges.assert(0, 0);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn the_gauges_of_a_former_leader_do_not_stand_still(pool: PgPool) {
    let stage = Stage::set(pool).await;
    stage.connect_many("restless", 5).await;
    let mut former = stage.generator("first");
    let mut leader = stage.generator("second");
    let gauges = Gauges::new();
    stage.next_tick();
    stage.queue.refuse_next(5);
    gauges.while_beats(&mut former).await.unwrap_err();
    gauges.assert(5, 0);

    stage.next_tick();
    leader.beat().await.unwrap();
    gauges.while_beats(&mut former).await.unwrap();
    gauges.assert(0, 5);
}
