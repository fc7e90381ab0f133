//! Who wrote what, and when: triggers note every write of a run and of what it brings.
//!
//! A process says who it is by a setting in its database's URL, `faults.process`. Times are the
//! database's clock, which is this machine's.

use chrono::{DateTime, Utc};
use shared::domain::RunId;
use sqlx::{Executor, PgPool};

const SCHEMA: &str = "
    create schema faults;
    create table faults.writes (
        at timestamptz not null default clock_timestamp(),
        process text default current_setting('faults.process', true),
        relation text not null,
        before jsonb,
        after jsonb not null
    );
    create index writes_in_time on faults.writes (at);
    create function faults.note() returns trigger language plpgsql as $$
    begin
        insert into faults.writes (relation, before, after)
        values (tg_table_name, to_jsonb(old), to_jsonb(new));
        return null;
    end $$;
";

const WATCHED: [&str; 7] = [
    "credentials",
    "integrations",
    "integration_runs",
    "integration_streams",
    "members",
    "member_identities",
    "activities",
];

pub(super) async fn install(pool: &PgPool) {
    let triggers = WATCHED.map(|relation| {
        format!(
            "create trigger noted after insert or update on {relation}
             for each row execute function faults.note();"
        )
    });
    let schema = format!("{SCHEMA}{}", triggers.concat());
    pool.execute(sqlx::AssertSqlSafe(schema)).await.expect("the audit is installed");
}

/// Which processes have claimed a run, in their order.
pub(crate) async fn holders(pool: &PgPool, run: RunId) -> Vec<String> {
    let holders = sqlx::query_scalar(
        "select process from faults.writes
         where relation = 'integration_runs' and after ->> 'id' = $1
             and after ->> 'lease_token' is not null
             and after ->> 'lease_token' is distinct from before ->> 'lease_token'
         order by at",
    );
    holders.bind(run.to_string()).fetch_all(pool).await.expect("the claims")
}

/// The runs that a process held at an instant and did not let go of afterwards, as its last word; and
/// when somebody else claimed each.
pub(crate) async fn taken_over(
    pool: &PgPool,
    from: &str,
    since: DateTime<Utc>,
) -> Vec<(String, Option<DateTime<Utc>>)> {
    let taken_over = sqlx::query_as(
        "with claims as (
             select at, process, after ->> 'id' as run, after ->> 'lease_token' as token
             from faults.writes
             where relation = 'integration_runs'
                 and after ->> 'lease_token' is distinct from before ->> 'lease_token'
         ), last as (
             select distinct on (run) run, process, token
             from claims
             where at <= $2 or (process = $1 and token is null)
             order by run, at desc
         )
         select last.run, (
             select min(at) from claims
             where claims.run = last.run and at > $2 and process <> $1 and token is not null
         )
         from last
         where last.process = $1 and last.token is not null",
    );
    taken_over.bind(from).bind(since).fetch_all(pool).await.expect("the claims")
}

/// How many streams a process wrote to that were somebody else's by then.
pub(crate) async fn stale_writes(pool: &PgPool, process: &str) -> i64 {
    let stale = sqlx::query_scalar(
        "with claims as (
             select at, process, after ->> 'id' as run, after ->> 'lease_token' as token
             from faults.writes
             where relation = 'integration_runs' and after ->> 'lease_token' is not null
                 and after ->> 'lease_token' is distinct from before ->> 'lease_token'
         )
         select count(*)
         from faults.writes stream
         where process = $1 and relation = 'integration_streams'
             and before ->> 'state' = 'processing' and after ->> 'state' <> 'processing'
             and $1 <> (
                 select claims.process from claims
                 where run = stream.after ->> 'run_id' and claims.at < stream.at
                 order by claims.at desc limit 1
             )",
    );
    stale.bind(process).fetch_one(pool).await.expect("a count")
}

/// When a process wrote what, between two instants.
pub(crate) async fn writes_of(
    pool: &PgPool,
    process: &str,
    after: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Vec<(DateTime<Utc>, String)> {
    let writes = sqlx::query_as(
        "select at, relation from faults.writes
         where process = $1 and at > $2 and at < $3 order by at",
    );
    writes.bind(process).bind(after).bind(until).fetch_all(pool).await.expect("the writes")
}

/// How many pages of a run a process has committed.
pub(crate) async fn pages_of(pool: &PgPool, run: RunId, process: &str) -> i64 {
    let pages = sqlx::query_scalar(
        "select count(*) from faults.writes
         where process = $1 and relation = 'integration_streams'
             and after ->> 'run_id' = $2 and after ->> 'state' = 'processed'",
    );
    pages.bind(process).bind(run.to_string()).fetch_one(pool).await.expect("a count")
}

/// When anybody but `except` next took a stream of the run: its claim was committed by then.
pub(crate) async fn next_progress(
    pool: &PgPool,
    run: RunId,
    except: &str,
    after: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let progress = sqlx::query_scalar(
        "select min(at) from faults.writes
         where at > $1 and process <> $2
             and relation = 'integration_streams' and after ->> 'run_id' = $3
             and after ->> 'state' = 'processing'",
    );
    let progress = progress.bind(after).bind(except).bind(run.to_string());
    progress.fetch_one(pool).await.expect("the progress")
}
