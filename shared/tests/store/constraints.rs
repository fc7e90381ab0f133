//! The invariants are the schema's: each constraint refuses what its name says, whoever writes it.

use serde_json::json;
use shared::store::NewDiscovery;
use sqlx::PgPool;

use crate::ground::Ground;
use crate::records::{activities, comment};

/// What is refused, by which constraint. `R` is a pending run, `L` a leased one, `S` a pending stream.
const REFUSED: &[(&str, &str)] = &[
    // tenants and integrations
    ("token_hash_is_a_sha256", "insert into tenant_tokens select 'short', id from tenants"),
    ("reason_iff_needs_reconnect", "update integrations set status = 'needs_reconnect'"),
    ("reason_iff_needs_reconnect", "update integrations set status_reason = 'no reason'"),
    // credentials
    ("reason_iff_not_valid", "update credentials set state = 'revoked'"),
    ("reason_iff_not_valid", "update credentials set state_reason = 'no reason'"),
    ("who_renews_says_until_when", "update credentials set renewing_by = gen_random_uuid()"),
    ("sealed_as_a_whole", "update credentials set sealed = 'in plain text'"),
    (
        "credential_is_of_one_tenant",
        "with other as (insert into tenants (id, name) values (gen_random_uuid(), 'other') returning id)
         insert into credentials (id, tenant_id, platform, type, organization_id, organization_name, sealed, counted_as)
         select c.id, other.id, platform, type, organization_id, organization_name, sealed, counted_as
         from credentials c cross join other",
    ),
    // runs
    ("finished_iff_terminal", "update integration_runs set state = 'processed', streams_failed = 0 where R"),
    (
        "finished_iff_terminal",
        "update integration_runs set processed_at = now(), send_at = null,
             streams_processed = 0, streams_failed = 0, records = 0 where R",
    ),
    (
        "counted_iff_finished",
        "update integration_runs set state = 'processed', processed_at = now(), send_at = null where R",
    ),
    (
        "counted_iff_finished",
        "update integration_runs set state = 'error', error = 'x', processed_at = now(), send_at = null,
             streams_processed = 1, streams_failed = 1 where R",
    ),
    (
        "counted_iff_finished",
        "update integration_runs set streams_processed = 0, streams_failed = 0, records = 0 where R",
    ),
    ("no_half_a_count", "update integration_runs set records = 0 where R"),
    ("delayed_iff_until", "update integration_runs set state = 'delayed' where R"),
    ("delayed_iff_until", "update integration_runs set state = 'delayed', delayed_until = now() where R"),
    ("delayed_iff_until", "update integration_runs set delayed_until = now(), delay_reason = 'sleep' where R"),
    ("no_half_a_delay", "update integration_runs set delayed_until = now() where R"),
    ("no_half_a_delay", "update integration_runs set delay_reason = 'sleep' where R"),
    ("leased_iff_processing", "update integration_runs set state = 'processing' where R"),
    ("leased_iff_processing", "update integration_runs set state = 'pending' where L"),
    ("no_half_a_lease", "update integration_runs set lease_token = gen_random_uuid() where R"),
    ("no_half_a_lease", "update integration_runs set lease_until = now() where R"),
    (
        "an_error_says_why",
        "update integration_runs set state = 'error', processed_at = now(), send_at = null,
             streams_processed = 0, streams_failed = 1, records = 0 where R",
    ),
    (
        "processed_has_no_hole",
        "update integration_runs set state = 'processed', processed_at = now(), send_at = null,
             streams_processed = 0, streams_failed = 1, records = 0 where R",
    ),
    (
        "a_finished_run_is_not_sent",
        "update integration_runs set state = 'processed', processed_at = now(),
             streams_processed = 0, streams_failed = 0, records = 0 where R",
    ),
    (
        "one_live_run_per_integration",
        "insert into integration_runs (id, integration_id, onboarding, requested_by)
         select gen_random_uuid(), integration_id, false, 'cli' from integration_runs where R",
    ),
    // streams
    ("stream_finished_iff_terminal", "update integration_streams set state = 'processed' where S"),
    ("stream_finished_iff_terminal", "update integration_streams set state = 'error', error = 'x' where S"),
    ("stream_finished_iff_terminal", "update integration_streams set processed_at = now() where S"),
    ("stream_leased_iff_processing", "update integration_streams set state = 'processing' where S"),
    ("stream_leased_iff_processing", "update integration_streams set lease_token = gen_random_uuid() where S"),
    (
        "a_stream_error_says_why",
        "update integration_streams set state = 'error', processed_at = now() where S",
    ),
    (
        "stream_is_unique_in_its_run",
        "insert into integration_streams (id, run_id, name, payload, due_at)
         select gen_random_uuid(), run_id, name, payload, now() from integration_streams where S",
    ),
    // members and activities
    ("an_identity_names_an_account", "update member_identities set username = null"),
    (
        "username_is_unique_on_its_platform",
        "insert into member_identities (tenant_id, platform, username, member_id)
         select tenant_id, platform, username, gen_random_uuid() from member_identities",
    ),
    (
        "account_is_unique_on_its_platform",
        "insert into member_identities (tenant_id, platform, source_id, member_id)
         select tenant_id, platform, '1', member_id from member_identities cross join generate_series(1, 2)",
    ),
    (
        "organization_is_unique_by_its_name",
        "insert into organizations (id, tenant_id, name)
         select gen_random_uuid(), id, 'Engines' from tenants cross join generate_series(1, 2)",
    ),
    (
        "activity_is_unique",
        "insert into activities (id, tenant_id, member_id, platform, type, source_id, timestamp, score, is_contribution)
         select gen_random_uuid(), tenant_id, member_id, platform, type, source_id, now(), 1, true from activities",
    ),
    ("a_parent_is_named_with_its_platform", "update activities set source_parent_id = 'p'"),
    ("an_activity_is_not_its_own_parent", "update activities set parent_id = id"),
    // ticks
    ("there_is_one_length", "insert into tick_length (one, seconds) values (false, 60)"),
    ("a_tick_takes_a_while", "insert into tick_length (seconds) values (0)"),
    // quota
    ("a_window_has_a_length", "insert into quota_ledger (owner, scope, class, per_ms, allowed, over_at) values ('toy', 'records', 'records', 0, 1, now())"),
    ("a_limit_allows_something", "insert into quota_ledger (owner, scope, class, per_ms, allowed, over_at) values ('toy', 'records', 'records', 1, -1, now())"),
    // the queue
    ("a_body_is_not_empty", "insert into queue_messages (body) values ('')"),
    ("a_receipt_exists_iff_it_was_received", "insert into queue_messages (body, receives) values ('{}', 1)"),
    (
        "a_receipt_exists_iff_it_was_received",
        "insert into queue_messages (body, receipt) values ('{}', gen_random_uuid())",
    ),
    ("only_dead_letters_have_a_reason", "insert into queue_messages (body, dead_reason) values ('{}', 'x')"),
    // discoveries
    ("discovery_finished_iff_terminal", "update discoveries set processed_at = now(), send_at = null"),
    ("discovered_iff_done", "update discoveries set units = '[]'"),
    (
        "a_discovery_error_says_why",
        "update discoveries set state = 'error', processed_at = now(), send_at = null",
    ),
    ("discovery_leased_iff_processing", "update discoveries set state = 'processing'"),
    ("discovery_leased_iff_processing", "update discoveries set lease_token = gen_random_uuid()"),
    ("discovery_sent_until_it_ends", "update discoveries set send_at = null"),
    // answers that are kept
    (
        "request_hash_is_a_sha256",
        "insert into idempotency_keys (tenant_id, key, request_sha256, token, held_until)
         select id, 'k', 'short', gen_random_uuid(), now() from tenants",
    ),
    (
        "answered_as_a_whole",
        "insert into idempotency_keys (tenant_id, key, request_sha256, token, held_until, status)
         select id, 'k', sha256('x'), gen_random_uuid(), now(), 201 from tenants",
    ),
];

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn each_constraint_refuses_what_its_name_says(pool: PgPool) {
    let ground = Ground::on(pool).await;
    one_of_each(&ground).await;
    for &(constraint, attempt) in REFUSED {
        let attempt = attempt
            .replace("where R", "where state = 'pending'")
            .replace("where L", "where state = 'processing'")
            .replace("where S", "where state = 'pending'");
        let refused =
            sqlx::raw_sql(sqlx::AssertSqlSafe(attempt.clone())).execute(ground.store.pool()).await;
        let Err(sqlx::Error::Database(error)) = refused else {
            panic!("{constraint} let this pass: {attempt}");
        };
        assert_eq!(error.constraint(), Some(constraint), "{attempt}: {error}");
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn no_constraint_is_untried(pool: PgPool) {
    let ground = Ground::on(pool).await;
    // Those that say something: not keys, references and nulls, which are named by PostgreSQL.
    let named = "select conname::text from pg_constraint c join pg_namespace n on n.oid = c.connamespace
                 where n.nspname = 'public' and contype = 'c'
                 union
                 select indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indexrelid
                 join pg_namespace n on n.oid = c.relnamespace
                 where n.nspname = 'public' and indisunique and not indisprimary and c.relname not like '\\_sqlx%'
                 order by 1";
    let mut tried: Vec<_> = REFUSED.iter().map(|(constraint, _)| constraint.to_string()).collect();
    tried.sort();
    tried.dedup();
    assert_eq!(ground.lines(named).await, tried);
}

/// A pending run with a pending stream, a leased run, a member, an activity, a discovery and a
/// credential.
async fn one_of_each(ground: &Ground) {
    let held = ground.hold().await;
    held.commit(activities([comment("c")])).await;
    held.take().await;
    held.store.hand_back(held.lease).await.unwrap();
    ground.hold().await;
    let new = NewDiscovery {
        tenant_id: ground.tenant,
        kind: "toy".into(),
        settings: json!({}),
        credential: None,
    };
    ground.store.ask_discovery(&new, None).await.unwrap();
    ground.bring().await;
}
