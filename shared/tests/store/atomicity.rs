//! A page is stored whole or not at all, wherever it breaks.

use serde_json::json;
use shared::domain::{RawStream, StreamState};
use shared::sdk::LastRecord;
use shared::store::{Page, PageSource, StoreError};
use sqlx::{AssertSqlSafe, PgPool};

use crate::gate::Gate;
use crate::ground::{Ground, LEASE, counted};
use crate::records::{activities, at, comment, reply};

/// A page that writes to every table a page can write to.
fn page() -> Page {
    Page {
        operations: activities([comment("a"), reply("b", "a")]),
        streams: vec![RawStream { name: "next".into(), payload: json!({"page": 2}) }],
        last_record: Some(LastRecord { id: "b".into(), at: at("2024-04-01T00:00:00Z") }),
        mark: Some("newest: b".into()),
        requests: 3,
        spends: counted("toy"),
    }
}

async fn assert_committed(ground: &Ground, source: PageSource) {
    let streams = ground.store.streams(source.lease.run_id, None, None, 10).await.unwrap();
    let states: Vec<_> = streams.iter().map(|stream| (&*stream.name, stream.state)).collect();
    assert_eq!(states, [("page", StreamState::Processed), ("next", StreamState::Pending)]);
    assert_eq!((streams[0].records, streams[0].requests), (2, 3));
    let stored = "select concat_ws(' ', (select count(*) from activities), (select count(parent_id) from activities),
                      (select count(*) from members), (select count(*) from member_identities),
                      (select sum(spent) from quota_ledger),
                      (select string_agg(last_record_id || ' ' || last_record_at::date || ' ' || mark, '') from integration_streams))";
    assert_eq!(ground.lines(stored).await, ["2 1 1 1 2 b 2024-04-01 newest: b"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_page_that_breaks_half_way_leaves_nothing_and_is_committed_later(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let source = held.take().await;
    for (at, table) in [
        ("after update", "integration_streams"),
        ("after insert", "member_identities"),
        ("after insert", "members"),
        ("after insert", "activities"),
        ("after insert", "integration_streams"),
        ("after insert", "quota_ledger"),
    ] {
        assert_leaves_nothing(&ground, source, &page(), at, table).await;
    }

    ground.store.commit_page(source, &page()).await.unwrap();

    assert_committed(&ground, source).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_page_that_breaks_when_it_ties_an_earlier_child_leaves_nothing(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    held.commit(activities([reply("b", "a")])).await;
    let source = held.take().await;
    let page = Page { operations: activities([comment("a")]), ..Page::default() };

    assert_leaves_nothing(&ground, source, &page, "after update", "activities").await;
}

/// If it breaks there.
async fn assert_leaves_nothing(
    ground: &Ground,
    source: PageSource,
    page: &Page,
    at: &str,
    table: &str,
) {
    let before = ground.everything().await;
    let trigger = format!(
        "create or replace function break() returns trigger language plpgsql as
         $$ begin raise 'it breaks at %', tg_table_name; end $$;
         create trigger break {at} on {table} for each row execute function break()"
    );
    sqlx::raw_sql(AssertSqlSafe(trigger)).execute(ground.store.pool()).await.unwrap();

    let error = ground.store.commit_page(source, page).await.unwrap_err();

    assert!(error.to_string().contains(&format!("it breaks at {table}")), "{error}");
    assert_eq!(ground.everything().await, before, "{at} on {table}");
    let mended = AssertSqlSafe(format!("drop trigger break on {table}"));
    sqlx::raw_sql(mended).execute(ground.store.pool()).await.unwrap();
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_page_whose_connection_dies_before_the_commit_leaves_nothing(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let source = held.take().await;
    let before = ground.everything().await;

    let gate = Gate::before_committing(&ground, "quota_ledger", "true").await;
    let (store, page_in_hand) = (ground.store.clone(), page());
    let committing = tokio::spawn(async move { store.commit_page(source, &page_in_hand).await });
    gate.until_waiting(1).await;
    let killed = "select pg_terminate_backend(pid)::text from pg_stat_activity
                  where datname = current_database() and wait_event_type = 'Lock'";
    assert_eq!(ground.lines(killed).await, ["true"]);

    let error = committing.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Database(_)), "{error}");
    gate.open().await;
    assert_eq!(ground.everything().await, before);
    ground.store.commit_page(source, &page()).await.unwrap();
    assert_committed(&ground, source).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_page_is_committed_once(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let source = held.take().await;

    let page = page();
    let (one, other) = tokio::join!(
        ground.store.commit_page(source, &page),
        ground.store.commit_page(source, &page),
    );

    let lost =
        [one, other].iter().filter(|commit| matches!(commit, Err(StoreError::LeaseLost))).count();
    assert_eq!(lost, 1);
    assert_committed(&ground, source).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn streams_are_listed_whole_or_not_at_all(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let (_, run) = ground.connect().await;
    let claimed = ground.store.claim_run(run, "a worker", LEASE).await.unwrap().unwrap();
    ground
        .execute(
            "create function break() returns trigger language plpgsql as $$ begin raise 'it breaks'; end $$;
             create trigger break after insert on integration_streams for each row
             when (new.name = 'last') execute function break()",
        )
        .await;
    let before = ground.everything().await;
    let streams: Vec<RawStream> =
        ["first", "last"].map(|name| RawStream { name: name.into(), payload: json!({}) }).into();

    ground.store.list_streams(claimed.lease, &streams, 1).await.unwrap_err();

    assert_eq!(ground.everything().await, before);
    ground.execute("drop trigger break on integration_streams").await;
    ground.store.list_streams(claimed.lease, &streams, 1).await.unwrap();
    let taken = ground.store.take_streams(claimed.lease, 10, false).await.unwrap();
    assert_eq!(taken.len(), 2);
}
