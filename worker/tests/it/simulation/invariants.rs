//! What must be true after every operation, and what must have become true when all is well again.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgPool;

use super::forum::{Forum, Record};

/// Notes what must never be, from here on.
pub(super) async fn watch(pool: &PgPool) {
    sqlx::raw_sql(include_str!("watch.sql")).execute(pool).await.unwrap();
}

/// What is wrong in what is stored, at any time.
pub(super) async fn broken(pool: &PgPool, forums: &[Forum]) -> Vec<String> {
    // One instant for all that follows.
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("set transaction isolation level repeatable read").execute(&mut *tx).await.unwrap();
    let mut wrong: Vec<String> = sqlx::query_scalar(ALWAYS).fetch_all(&mut *tx).await.unwrap();
    let read: Vec<(i32, Option<DateTime<Utc>>)> = sqlx::query_as(
        "select (settings->>'forum')::int, (state->>'read_until')::timestamptz from integrations",
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    let sink = sink(&mut tx).await;
    for (forum, read_until) in read {
        let Some(read_until) = read_until else { continue };
        for record in forums[forum as usize].truth() {
            wrong.extend(behind(&record, &sink, record.version_before(read_until)));
        }
    }
    wrong
}

/// Whose first line says what is wrong with whatever it finds.
const ALWAYS: &str = "
    select what from violations
    union all
    select format('nobody will hear of run %s, which is live', r.id)
    from integration_runs r join integrations i on i.id = r.integration_id
    where r.processed_at is null and r.send_at is null and i.status = 'active'
    union all
    select format('stream %s is in processing, and its run is not in the same hands', s.id)
    from integration_streams s join integration_runs r on r.id = s.run_id
    where s.state = 'processing' and s.lease_token is distinct from r.lease_token
    union all
    select format('the ledger says %s records, committed were %s', spent, committed)
    from (select coalesce(sum(spent), 0) as spent from quota_ledger) as ledger,
        (select coalesce(sum(records), 0) as committed from committed where kind = 'rationed_forum') as pages
    where spent <> committed
    union all
    select format('stream %s was given up for %s crashes, and its run was taken over %s times', s.id, s.crashes, thefts)
    from integration_streams s,
        lateral (select count(*) as thefts from moves where run = s.run_id and stolen) as taken_over
    where s.crashes > thefts
";

type Sink = HashMap<String, (usize, bool)>;

/// The version of each activity in the sink, and whether it is tied to its parent.
async fn sink(tx: &mut sqlx::PgConnection) -> Sink {
    let rows: Vec<(String, String, bool)> =
        sqlx::query_as("select source_id, body, parent_id is not null from activities")
            .fetch_all(tx)
            .await
            .unwrap();
    rows.into_iter()
        .map(|(source_id, body, tied)| (source_id, (body.parse().unwrap(), tied)))
        .collect()
}

fn behind(record: &Record, sink: &Sink, wanted: usize) -> Option<String> {
    let stored = sink.get(&record.source_id).map_or(0, |(version, _)| *version);
    (stored < wanted).then(|| {
        let id = &record.source_id;
        format!("version {wanted} of {id} counts as read, and the sink has version {stored}")
    })
}

/// What is not at rest yet, or not whole.
pub(super) async fn unfinished(pool: &PgPool, forums: &[Forum]) -> Vec<String> {
    let mut connection = pool.acquire().await.unwrap();
    let mut wrong: Vec<String> =
        sqlx::query_scalar(AT_REST).fetch_all(&mut *connection).await.unwrap();
    let sink = sink(&mut connection).await;
    let truth: Vec<Record> = forums.iter().flat_map(Forum::truth).collect();
    for record in &truth {
        let wanted = (record.version(), record.parent.is_some());
        let stored = sink.get(&record.source_id);
        if stored != Some(&wanted) {
            wrong.push(format!("{} is stored as {stored:?}, not {wanted:?}", record.source_id));
        }
    }
    if sink.len() > truth.len() {
        wrong.push(format!("the sink has {} activities, there are {}", sink.len(), truth.len()));
    }
    let people: HashSet<&str> = truth.iter().map(|record| record.author.as_str()).collect();
    let members: i64 = sqlx::query_scalar("select count(*) from members")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    if members != people.len() as i64 {
        wrong.push(format!("{} people are {members} members", people.len()));
    }
    wrong
}

const AT_REST: &str = "
    select format('run %s is %s', id, state) from integration_runs where processed_at is null
    union all
    select format('stream %s is in processing', id) from integration_streams where state = 'processing'
    union all
    select format('integration %s still wants its onboarding', id) from integrations where onboarding_wanted
    union all
    select format('member %s has %s accounts', member_id, count(*))
    from member_identities group by member_id having count(*) > 1
";

/// Attempts that were spent on something other than a failure.
pub(super) async fn attempts_without_failures(pool: &PgPool, forums: &[Forum]) -> Vec<String> {
    let attempts: Vec<(i32, String, i64)> = sqlx::query_as(
        "select (i.settings->>'forum')::int, s.payload::text, sum(s.attempts)
         from integration_streams s
         join integration_runs r on r.id = s.run_id join integrations i on i.id = r.integration_id
         group by 1, 2
         union all
         select (i.settings->>'forum')::int, '\"the run\"', sum(r.attempts)
         from integration_runs r join integrations i on i.id = r.integration_id
         group by 1",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let failed: Vec<_> = forums.iter().map(Forum::failed).collect();
    let mut wrong = Vec::new();
    for (forum, payload, attempts) in attempts {
        let what = match serde_json::from_str(&payload).unwrap() {
            Value::String(what) => what,
            stream => stream.to_string(),
        };
        let failures = failed[forum as usize].get(&what).copied().unwrap_or(0);
        if attempts as usize > failures {
            wrong.push(format!("{what} paid {attempts} attempts for {failures} failures"));
        }
    }
    wrong
}
