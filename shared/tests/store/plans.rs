//! What is done all day costs the same however much has been done: each statement goes by an index,
//! and looks at as many pages after years as on the first day.

use std::time::Duration;

use serde_json::json;
use shared::clock::Clock;
use shared::domain::{Activity, DelayReason, RawStream, RequestedBy, RunId, RunMode, Tick};
use shared::queue::postgres::PostgresQueue;
use shared::queue::{Outgoing, Queue, Redelivery};
use shared::sdk::Directory;
use shared::store::{Page, StreamSetback, TenantMembers};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};

use crate::costs::{ROUNDS, assert_unmoved, costs, costs_now, leave_alone};
use crate::ground::{Ground, Held, LEASE};
use crate::records::{account, activities, comment, members};
use crate::watching::Watched;

/// A run with so many streams to do, of which two were in flight when a worker died.
async fn unfinished(ground: &Ground, streams: usize) -> RunId {
    let (_, run) = ground.connect().await;
    let held = ground.claim(run).await;
    for _ in 0..2 {
        held.take().await;
    }
    ground.outlive_the_lease();
    let held = ground.claim(run).await;
    let streams: Vec<_> =
        (0..streams).map(|n| RawStream { name: "page".into(), payload: json!(n) }).collect();
    held.store.list_streams(held.lease, &streams, 0).await.unwrap();
    held.store.hand_back(held.lease).await.unwrap();
    run
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn runs_streams_and_ticks_cost_the_same_however_much_is_finished(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let watched = Watched::connect(options, database).await;
    let ground = Ground::on(watched.pool.clone()).await;
    let run = unfinished(&ground, 50).await;
    for _ in 0..20 {
        unfinished(&ground, 1).await;
    }
    ground.execute("update integrations set next_check_tick = 0").await;
    let mut tick = 0;
    let mut round = async || {
        tick += 10;
        work(&ground, run, tick).await;
    };

    finish_work(&watched.pool, run, 1).await;
    let young = costs(&watched, &mut round).await;
    finish_work(&watched.pool, run, 20).await;
    let old = costs(&watched, &mut round).await;

    assert!(old.len() > 15, "{} statements were watched", old.len());
    let tables = ["integrations", "integration_runs", "integration_streams", "activities"];
    assert_unmoved(&young, &old, &tables);
    watched.pool.close().await;
}

/// As if a lot had been done so many times: integrations, runs and streams by the thousand, and this
/// run has come a long way, too.
async fn finish_work(pool: &PgPool, run: RunId, times: i32) {
    let history = format!(
        "set session_replication_role = replica;
         insert into integrations (id, tenant_id, kind, settings, next_check_tick)
         select gen_random_uuid(), id, 'toy', '{{}}', 1000000 + n from tenants, generate_series(1, 2500 * {times}) n;
         insert into integration_runs (id, integration_id, onboarding, requested_by, state, processed_at,
             streams_processed, streams_failed, records)
         select gen_random_uuid(), id, false, 'tick', 'processed', now(), 4, 0, 0
         from integrations limit 1250 * {times};
         insert into integration_streams (id, run_id, name, payload, state, due_at, processed_at)
         select gen_random_uuid(), run_id, 'past', to_jsonb(random()), 'processed', now(), now()
         from (
             select id from (select id from integration_runs limit 250 * {times}) r, generate_series(1, 10)
             union all
             select '{run}' from generate_series(1, 2500 * {times})
         ) as streams (run_id);
         -- Answers to what is gone for good.
         insert into activities (id, tenant_id, member_id, platform, type, source_id, source_parent_platform,
             source_parent_id, timestamp, score, is_contribution, updated_at)
         select gen_random_uuid(), tenants.id, gen_random_uuid(), 'toy', 'comment', gen_random_uuid(), 'toy',
             gen_random_uuid(), 'epoch', 1, true, 'epoch'
         from tenants, generate_series(1, 2500 * {times});
         set session_replication_role = origin"
    );
    sqlx::raw_sql(AssertSqlSafe(history)).execute(pool).await.unwrap();
}

/// What generators and workers do all day, leaving everything as it was.
async fn work(ground: &Ground, run: RunId, tick: i64) {
    let store = &ground.store;
    let (due, _) = store.start_due_checks("toy", 10, Tick(tick), 5_000).await.unwrap();
    assert_eq!(due, 21);
    let due = store.due_messages(100).await.unwrap();
    assert_eq!(due.len(), 21);
    store.messages_sent(&[run], None).await.unwrap();

    let claimed = store.claim_run(run, "a worker", LEASE).await.unwrap().unwrap();
    let lease = claimed.lease;
    store.request_run(claimed.integration_id, RunMode::Check, RequestedBy::Api).await.unwrap();
    store.run(run).await.unwrap().unwrap();
    store.keep_lease(lease, LEASE).await.unwrap();
    let not_now = StreamSetback::NotNow { after: Duration::ZERO };
    for suspects in [true, false] {
        let taken = store.take_streams(lease, 2, suspects).await.unwrap();
        assert_eq!(taken.len(), 2);
        for stream in taken {
            store.set_back(lease, stream.id, &not_now, 0).await.unwrap();
        }
    }
    store.put_off(lease, "page", Duration::ZERO).await.unwrap();
    store.next_due(run).await.unwrap().unwrap();
    let delay = store.delay_run(lease, Some(Duration::ZERO), DelayReason::Sleep, None, 0);
    delay.await.unwrap();
    let lease = store.claim_run(run, "a worker", LEASE).await.unwrap().unwrap().lease;
    // Its worker dies.
    assert_eq!(store.take_streams(lease, 3, false).await.unwrap().len(), 3);
    ground.outlive_the_lease();
    let lease = store.claim_run(run, "a worker", LEASE).await.unwrap().unwrap().lease;
    let suspects = store.take_streams(lease, 3, true).await.unwrap();
    assert_eq!(suspects.len(), 3);
    commit(ground, claimed.integration_id, lease, &suspects[2]).await;
    store.hand_back(lease).await.unwrap();
    end_another(ground).await;
    ground.clock.advance(Duration::from_secs(3600));
}

/// A short run, from its beginning to its end.
async fn end_another(ground: &Ground) {
    let held = ground.hold().await;
    held.commit(activities([comment(&uuid::Uuid::new_v4().to_string())])).await;
    held.store.ended_streams(held.lease.run_id).await.unwrap();
    held.store.finish_run(held.lease, None, 0).await.unwrap();
}

/// One stream is done, and another is found.
async fn commit(
    ground: &Ground,
    integration: shared::domain::IntegrationId,
    lease: shared::domain::Lease,
    stream: &shared::domain::Stream,
) {
    let source =
        shared::store::PageSource { lease, stream: stream.id, tenant: ground.tenant, integration };
    let found = RawStream { name: "found".into(), payload: json!(uuid::Uuid::new_v4()) };
    let page = Page { streams: vec![found], ..Page::default() };
    ground.store.commit_page(source, &page).await.unwrap();
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_page_costs_the_same_however_many_people_and_things_there_are(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let watched = Watched::connect(options, database).await;
    let ground = Ground::on(watched.pool.clone()).await;
    let held = ground.hold().await;
    let mut number = 0;
    let mut round = async || {
        number += 1;
        talk(&held, number).await;
    };

    meet(&watched.pool, 2_000).await;
    let young = costs(&watched, &mut round).await;
    meet(&watched.pool, 40_000).await;
    let old = costs(&watched, &mut round).await;

    assert_unmoved(&young, &old, &["members", "member_identities", "activities"]);
    watched.pool.close().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_page_costs_the_same_however_much_has_come_since_its_statements_were_planned(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    // Who adds history behind the planner's back: on the same connection, turning references
    // off would have every statement planned anew.
    let elsewhere = options.clone().connect_with(database.clone()).await.unwrap();
    let watched = Watched::connect(options, database).await;
    let ground = Ground::on(watched.pool.clone()).await;
    leave_alone(&watched.pool).await;
    let held = ground.hold().await;
    let mut number = 0;
    let mut round = async || {
        number += 1;
        talk(&held, number).await;
    };

    // Next to nothing is there when they are planned, and nobody ever tells the planner otherwise.
    round().await;
    sqlx::raw_sql("vacuum analyze").execute(&watched.pool).await.unwrap();
    for _ in 0..ROUNDS {
        round().await;
    }
    meet(&elsewhere, 2_000).await;
    let young = costs_now(&watched, &mut round).await;
    meet(&elsewhere, 40_000).await;
    let old = costs_now(&watched, &mut round).await;

    assert_unmoved(&young, &old, &["members", "member_identities", "activities"]);
    elsewhere.close().await;
    watched.pool.close().await;
}

/// Pages of people and things that are new, then known, then called otherwise.
async fn talk(held: &Held, number: usize) {
    let said = |n: usize, name: String| Activity {
        source_parent_id: (n > 0).then(|| format!("{number}-{}", n - 1)),
        member: account(&name, format!("{number}-{n}").as_str()),
        ..comment(&format!("{number}-{n}"))
    };
    for called in ["new", "new", "renamed"] {
        let page = (0..20).map(|n| said(n, format!("{called}-{number}-{n}")));
        held.commit(activities(page)).await;
    }
}

/// A tenant of two hundred people, and another of forty thousand, whose names come first.
#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_look_at_known_accounts_passes_nobody_else_by(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let watched = Watched::connect(options, database).await;
    let ground = Ground::on(watched.pool.clone()).await;
    let own = (0..200).map(|n| account(&format!("own-{n:03}"), None));
    ground.hold().await.commit(members(own)).await;
    let rival = ground.of_another_tenant().await;
    let others = format!("(select id from tenants where id = '{}')", rival.tenant);
    meet_among(&others, &watched.pool, 40_000).await;
    let known = TenantMembers::of(&ground.store, ground.tenant);

    let costs = costs(&watched, async || {
        for after in [None, Some("own-099")] {
            assert_eq!(known.accounts("toy", after, 100).await.unwrap().len(), 100);
        }
    })
    .await;

    let looks: Vec<_> = costs.values().flatten().collect();
    assert_eq!(looks.len(), 2);
    for look in looks {
        assert!(format!("{look:?}").contains("names_of_a_tenant"), "{look:?}");
        // Four for each of the hundred would be much: three for who it is, and one for the name.
        assert!(look.pages() <= 400, "{} pages: {look:?}", look.pages());
    }
    watched.pool.close().await;
}

/// As if so many people had been met, of whom each had said something, and some to nobody we know.
async fn meet(pool: &PgPool, people: i32) {
    meet_among("tenants", pool, people).await;
}

async fn meet_among(tenants: &str, pool: &PgPool, people: i32) {
    let history = format!(
        "set session_replication_role = replica;
         create temporary table people as
         select gen_random_uuid() as id, random()::text as called, n from generate_series(1, {people}) n;
         insert into members (id, tenant_id, display_name) select p.id, t.id, called from {tenants} t, people p;
         insert into member_identities (tenant_id, platform, username, source_id, member_id)
         select t.id, 'toy', called, called, p.id from {tenants} t, people p;
         insert into activities (id, tenant_id, member_id, platform, type, source_id, source_parent_platform,
             source_parent_id, timestamp, score, is_contribution)
         select gen_random_uuid(), t.id, p.id, 'toy', 'comment', called, case when n % 10 = 0 then 'toy' end,
             case when n % 10 = 0 then 'gone' || called end, now(), 1, true
         from {tenants} t, people p;
         drop table people;
         set session_replication_role = origin"
    );
    sqlx::raw_sql(AssertSqlSafe(history)).execute(pool).await.unwrap();
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn receiving_costs_the_same_however_many_letters_are_dead(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let watched = Watched::connect(options, database).await;
    let queue = PostgresQueue::new(watched.pool.clone(), Clock::System, Redelivery::default());
    let message =
        Outgoing { body: "{}".into(), group: "a".into(), delay: Duration::ZERO, trace: None };
    queue.send(&vec![message.clone(); 20]).await.unwrap();
    let mut round = async || {
        queue.send(std::slice::from_ref(&message)).await.unwrap();
        let received = queue.receive(1, Duration::ZERO).await.unwrap().remove(0);
        queue.keep_invisible(&received.receipt, Duration::from_secs(60)).await.unwrap();
        queue.acknowledge(&received.receipt).await.unwrap();
        queue.depth().await.unwrap();
    };

    let die = "insert into queue_messages (body, group_id, receives, receipt, dead_since, round)
               select '{}', 'a', 5, gen_random_uuid(), now(), n from generate_series(1, $1) n";
    let die =
        async |letters: i32| sqlx::query(die).bind(letters).execute(&watched.pool).await.unwrap();

    die(5_000).await;
    let young = costs(&watched, &mut round).await;
    die(100_000).await;
    let old = costs(&watched, &mut round).await;

    assert_unmoved(&young, &old, &["queue_messages"]);
    watched.pool.close().await;
}
