//! What becomes of what PostgreSQL does not store: a page, or the first streams, that it refuses, and
//! statements for which it has no time.

use chrono::TimeDelta;
use shared::domain::RunState;
use sqlx::PgPool;

use crate::stage::Stage;
use crate::toy::{Platform, comments, page};

/// From now on the database takes no row of this sort. As of data that nobody thought of: an error of
/// ours, and not a database that is away.
async fn refuse(stage: &Stage, table: &str, when: &str) {
    answer(stage, table, when, "data_exception").await;
}

async fn answer(stage: &Stage, table: &str, when: &str, with: &str) {
    let refuse = format!(
        "create function refuse() returns trigger language plpgsql as $$
         begin
             raise exception 'it cannot be stored' using errcode = '{with}';
         end $$;
         create trigger refuse before insert or update on {table} for each row
         when ({when}) execute function refuse()"
    );
    let refuse = sqlx::raw_sql(sqlx::AssertSqlSafe(refuse));
    refuse.execute(stage.store.pool()).await.unwrap();
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_page_that_the_database_refuses_is_given_up_after_five_attempts_and_alone(pool: PgPool) {
    let platform = Platform::new([page("bad", 1), page("good", 1)], |asked| Ok(comments(asked, 1)));
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    refuse(&stage, "activities", "new.source_id like 'bad-%'").await;

    let run = stage.work_until_ended(run).await;

    assert_eq!(run.state, RunState::Error);
    let error = run.error.unwrap();
    assert!(error.contains("storing the page") && error.contains("cannot be stored"), "{error}");
    assert_eq!(platform.asked_for(&page("bad", 1)), 5, "five attempts in all");
    assert_eq!(platform.asked_for(&page("good", 1)), 1);
    assert_eq!(stage.activities().await, ["good-1-0"]);
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn first_streams_that_the_database_refuses_are_a_failed_run_in_the_end(pool: PgPool) {
    let platform = Platform::with_news();
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    refuse(&stage, "integration_streams", "true").await;

    let run = stage.work_until_ended(run).await;

    assert_eq!(run.state, RunState::Error);
    assert!(run.error.unwrap().contains("cannot be stored"));
    assert_eq!(platform.asked(), 0);
    stage.check_invariants().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn statements_that_take_too_long_cost_no_attempt_and_are_not_repeated_at_once(pool: PgPool) {
    let platform = Platform::new([page("news", 1)], |asked| Ok(comments(asked, 1)));
    let (stage, _, run) = Stage::with_toy(pool, &platform).await;
    answer(&stage, "activities", "true", "query_canceled").await;

    for times in 1..=10 {
        stage.work().await;
        let waiting = stage.run(run).await;
        assert_eq!((platform.asked(), waiting.state), (times, RunState::Delayed));
        let wait = waiting.delayed_until.unwrap() - stage.clock.now();
        assert!(wait >= TimeDelta::seconds(30), "a hot loop: {wait}");
        stage.clock.turn_to(waiting.delayed_until.unwrap());
    }
    let attempts = (stage.run(run).await.attempts, stage.streams(run).await[0].attempts);
    assert_eq!(attempts, (0, 0));

    sqlx::query("drop trigger refuse on activities").execute(stage.store.pool()).await.unwrap();
    assert_eq!(stage.work_until_ended(run).await.state, RunState::Processed);
    stage.check_invariants().await;
}
