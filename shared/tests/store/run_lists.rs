//! Lists of runs go by an index, whichever are wanted.

use shared::domain::{RunId, RunState};
use shared::store::RunFilter;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};

use crate::costs::{assert_unmoved, costs};
use crate::ground::Ground;
use crate::watching::Watched;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_page_of_runs_costs_the_same_however_much_was_run_here_and_elsewhere(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let watched = Watched::connect(options, database).await;
    let ground = Ground::on(watched.pool.clone()).await;
    let rival = ground.of_another_tenant().await;
    for _ in 0..20 {
        rival.connect().await;
    }
    let (integration, live) = ground.connect().await;
    let by_integration = [None, Some(integration)];
    let by_state =
        [None, Some(RunState::Pending), Some(RunState::Processed), Some(RunState::Error)];
    let last = RunId(uuid::Uuid::from_u128(u128::MAX - 1));
    let mut round = async || {
        for integration in by_integration {
            for state in by_state {
                for before in [None, Some(last)] {
                    let tenant = Some(ground.tenant);
                    let filter = RunFilter { tenant, integration, state, before };
                    let runs = ground.store.runs(filter, 5).await.unwrap();
                    let expected = if state == Some(RunState::Pending) { 1 } else { 5 };
                    assert_eq!(runs.len(), expected, "{filter:?}");
                }
            }
        }
        assert_eq!(ground.store.run(live).await.unwrap().unwrap().id, live);
    };

    run(&watched.pool, 1).await;
    let young = costs(&watched, &mut round).await;
    run(&watched.pool, 20).await;
    let old = costs(&watched, &mut round).await;

    assert_unmoved(&young, &old, &["integration_runs"]);
    watched.pool.close().await;
}

/// As if everybody had run so often, and one run in a thousand had failed. The rivals' are the newest.
async fn run(pool: &PgPool, times: i32) {
    let history = format!(
        "set session_replication_role = replica;
         insert into integration_runs (id, integration_id, onboarding, requested_by, state, processed_at,
             streams_processed, streams_failed, records, error)
         select overlay(gen_random_uuid()::text placing case when t.name = 'rival' then 'ff' else '00' end from 1 for 2)::uuid,
             i.id, false, 'tick', (case when n % 1000 < 5 then 'error' else 'processed' end)::run_state, now(),
             4, case when n % 1000 < 5 then 1 else 0 end, 0, case when n % 1000 < 5 then 'a hole' end
         from integrations i join tenants t on t.id = i.tenant_id, generate_series(1, 1000 * {times}) n;
         set session_replication_role = origin"
    );
    sqlx::raw_sql(AssertSqlSafe(history)).execute(pool).await.unwrap();
}
