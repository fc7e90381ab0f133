//! A platform's odd value never stops a stream: it is stored as well as PostgreSQL can, and the rest
//! of its page with it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};
use shared::domain::{
    Activity, DelayReason, Identity, Member, Operation, Organization, RawStream, StreamState,
};
use shared::sdk::LastRecord;
use shared::store::{IntegrationChange, NewIntegration, Page, RunFailure, StreamSetback};
use sqlx::PgPool;

use crate::ground::{Ground, Held};
use crate::records::{account, activities, comment, members, person};

/// A page that says something everywhere, with a mark in each text.
fn page(mark: &str) -> Page {
    let said = |text: &str| format!("{mark}{text}{mark}");
    let json = json!({said("key"): [said("value"), {said("inner"): said("")}, 1, null]});
    let member = |name: &str| Member {
        identity: Identity {
            platform: said("toy"),
            username: said(name),
            source_id: Some(said(name)),
        },
        display_name: Some(said("Ada")),
        emails: [said("a@x.org")].into(),
        joined_at: None,
        reach: [(said("toy"), 10)].into(),
        attributes: [(said("bio"), Map::from_iter([(said("toy"), json.clone())]))].into(),
        organizations: [said("Engines")].into(),
    };
    let organization = Organization {
        url: Some(said("url")),
        description: Some(said("description")),
        ..Organization::named(&said("Engines"))
    };
    let activity = Activity {
        platform: said("toy"),
        kind: said("comment"),
        source_id: said("c"),
        source_parent_id: Some(said("p")),
        source_parent_platform: Some(said("toy")),
        timestamp: DateTime::UNIX_EPOCH,
        title: Some(said("title")),
        body: Some(said("body")),
        url: Some(said("url")),
        channel: Some(said("channel")),
        attributes: Map::from_iter([(said("field"), json.clone())]),
        score: 1,
        is_contribution: true,
        member: member("ada"),
        object_member: Some(member("bob")),
    };
    Page {
        operations: vec![
            Operation::UpsertMembers(vec![member("eve")]),
            Operation::UpsertActivities(vec![activity]),
            Operation::UpsertOrganizations(vec![organization]),
        ],
        streams: vec![RawStream { name: said("next"), payload: json }],
        last_record: Some(LastRecord { id: said("c"), at: DateTime::UNIX_EPOCH }),
        ..Page::default()
    }
}

/// What such a page comes to, without ids and dates.
const STORED: &str = "
    select (to_jsonb(x) - '{id,tenant_id,integration_id,member_id,object_member_id,run_id,created_at,updated_at,joined_at,processed_at,due_at}'::text[])::text
    from (
        select to_jsonb(m) as x from members m
        union all select to_jsonb(i) from member_identities i
        union all select to_jsonb(a) from activities a
        union all select to_jsonb(o) from organizations o
        union all select to_jsonb(s) - 'id' from integration_streams s where name <> 'page'
        union all select jsonb_build_object('last', last_record_id) from integration_streams
    ) as rows (x)
    order by 1";

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn nul_is_as_if_it_were_not_there(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let mut stored = Vec::new();
    for mark in ["", "\0"] {
        let held = ground.hold().await;
        let source = held.take().await;
        ground.store.commit_page(source, &page(mark)).await.unwrap();
        stored.push(ground.lines(STORED).await);
        ground
            .execute("delete from activities; delete from members; delete from organizations; delete from integrations")
            .await;
    }
    assert_eq!(stored[0].len(), 3 + 3 + 1 + 1 + 1 + 2, "{:#?}", stored[0]);
    assert_eq!(stored[1], stored[0]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn nul_in_an_error_or_in_what_a_tenant_typed_stops_nothing(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let settings = json!({"forum\0": "x\0y"});
    let new = NewIntegration {
        tenant_id: ground.tenant,
        kind: "toy".into(),
        settings: settings.clone(),
        units: vec!["a\0b".into()],
        first_check: None,
        credential_id: None,
        member_attributes: Vec::new(),
    };
    let by = shared::domain::RequestedBy::Connect;
    let connected = ground.store.connect(&new, by).await.unwrap();
    let (clean_settings, clean_units) = (json!({"forum": "xy"}), ["ab"]);
    assert_eq!(connected.integration.settings, clean_settings);
    assert_eq!(connected.integration.units, clean_units);
    let change = IntegrationChange {
        settings: Some(settings),
        units: Some(new.units.clone()),
        ..IntegrationChange::default()
    };
    let changed = ground.store.change_integration(connected.integration.id, &change).await;
    let changed = changed.unwrap().unwrap();
    assert_eq!(
        (changed.settings, &*changed.units),
        (clean_settings, &clean_units.map(str::to_owned)[..])
    );

    let held = ground.claim(connected.requested.run).await;
    let error = || "on\0 fire".to_owned();
    let after = Duration::ZERO;
    for setback in
        [StreamSetback::Again { after, error: error() }, StreamSetback::Never { error: error() }]
    {
        let source = held.take().await;
        ground.store.set_back(held.lease, source.stream, &setback, 0).await.unwrap();
        ground.execute("update integration_streams set crashes = 1 where state = 'pending'").await;
    }
    let delayed = Some(Duration::from_secs(1));
    let reason = DelayReason::Retry;
    ground.store.delay_run(held.lease, delayed, reason, Some(&error()), 0).await.unwrap();
    assert_eq!(ground.run(held.lease.run_id).await.error.as_deref(), Some("on fire"));
    ground.outlive_the_lease();
    let held = ground.claim(held.lease.run_id).await;
    let failure = RunFailure { error: error(), needs_reconnect: true };
    ground.store.fail_run(held.lease, &failure, 0).await.unwrap();

    let errors =
        "select error from integration_streams union all select error from integration_runs
                  union all select status_reason from integrations";
    assert_eq!(ground.lines(errors).await, ["on fire"; 4]);
}

fn fields(value: Value) -> Map<String, Value> {
    Map::from_iter([("odd".to_owned(), value)])
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!("deep"), |inner, level| {
        if level % 2 == 0 { json!([inner]) } else { json!({"a": inner}) }
    })
}

/// Ten thousand letters that are not to be compressed: an index holds more of those that are.
fn long() -> String {
    StdRng::seed_from_u64(7)
        .sample_iter::<char, _>(rand::distr::StandardUniform)
        .take(10_000)
        .filter(|letter| *letter != '\0')
        .collect()
}

/// Comments by `odd`, each odd in its own way.
fn oddities() -> Vec<Activity> {
    let odd = || Activity { member: account("odd", "odd"), ..comment("odd") };
    let long = long();
    let by = |member: Member| Activity { member, ..odd() };
    vec![
        Activity { timestamp: DateTime::<Utc>::MIN_UTC, ..odd() },
        Activity { timestamp: DateTime::<Utc>::MAX_UTC, ..odd() },
        Activity {
            title: Some("👩‍👩‍👧‍👦 \u{202e}\u{feff}\u{fffe}".into()), ..odd()
        },
        Activity { source_id: String::new(), kind: String::new(), ..odd() },
        Activity { platform: String::new(), url: Some(String::new()), ..odd() },
        Activity { source_parent_id: Some(String::new()), channel: Some(String::new()), ..odd() },
        Activity { source_id: long.clone(), source_parent_id: Some(long.clone()), ..odd() },
        Activity { kind: long.clone(), platform: long.clone(), ..odd() },
        Activity {
            title: Some(long.clone()),
            url: Some(long.clone()),
            channel: Some(long.clone()),
            ..odd()
        },
        Activity { attributes: fields(nested(127)), ..odd() },
        Activity { attributes: fields(nested(1_000)), ..odd() },
        Activity {
            attributes: fields(json!([f64::MAX, f64::MIN_POSITIVE, -0.0, u64::MAX, i64::MIN])),
            ..odd()
        },
        Activity { attributes: fields(json!({"": {"": ""}})), score: i16::MIN, ..odd() },
        Activity { object_member: Some(account("", None)), ..odd() },
        by(account("", None)),
        by(account("", "")),
        by(account("", long.as_str())),
        by(account(&long, None)),
        by(account(&long, long.as_str())),
        by(person(&long, "odd", "odd")),
        by(Member {
            emails: ["\n".into(), "a\nb@x.org".into(), long.clone()].into(),
            ..account("odd", None)
        }),
        by(Member { joined_at: Some(DateTime::<Utc>::MIN_UTC), ..account("odd", None) }),
        by(Member { joined_at: Some(DateTime::<Utc>::MAX_UTC), ..account("odd", None) }),
        by(Member {
            reach: [(String::new(), i64::MIN), (long.clone(), i64::MAX)].into(),
            ..account("odd", None)
        }),
        by(account("odd", None).attribute("bio", Some(nested(1_000)))),
        by(account("odd", None).attribute("", Some(""))),
        by(account("odd", None).attribute_on("", &long, Some(long.as_str()))),
    ]
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn whatever_is_odd_is_stored_and_its_page_with_it(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    for (at, odd) in oddities().into_iter().enumerate() {
        let innocent =
            Activity { member: account(&format!("{at}"), None), ..comment(&format!("{at}")) };
        for _again in 0..2 {
            let page = activities([innocent.clone(), odd.clone()]);
            held.try_commit(page).await.unwrap_or_else(|error| panic!("{error}: {odd:?}"));
        }
        let stored = "select count(*)::text from activities a join members m on m.id = a.member_id";
        assert_eq!(ground.lines(stored).await, ["2"], "{odd:?}");
        ground.execute("delete from activities; delete from members").await;
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn odd_streams_and_last_records_are_stored(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let long = long();
    let stream = |name: &str, payload| RawStream { name: name.into(), payload };
    let source = held.take().await;
    let page = Page {
        streams: vec![
            stream("", json!("")),
            stream(&long, json!({&long: &long})),
            stream(&format!("{long}!"), json!({&long: &long})),
            stream("deep", nested(1_000)),
            stream("null", Value::Null),
        ],
        last_record: Some(LastRecord { id: long.clone(), at: DateTime::<Utc>::MIN_UTC }),
        ..Page::default()
    };

    ground.store.commit_page(source, &page).await.unwrap();

    let taken = ground.store.take_streams(held.lease, 10, false).await.unwrap();
    assert_eq!(taken.len(), page.streams.len());
    for stream in &taken {
        let page = Page {
            last_record: Some(LastRecord { id: String::new(), at: DateTime::<Utc>::MAX_UTC }),
            ..Page::default()
        };
        ground.store.commit_page(held.source(stream), &page).await.unwrap();
    }
    let streams = ground.store.streams(held.lease.run_id, None, None, 10).await.unwrap();
    assert!(streams.iter().all(|stream| stream.state == StreamState::Processed));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn long_ids_stay_different(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let long = |last: &str| long() + last;
    let said = |last: &str, to: &str| Activity {
        member: account(&long(last), long(last).as_str()),
        source_parent_id: Some(long(to)),
        ..comment(&long(last))
    };

    for _again in 0..2 {
        held.commit(activities([said("1", "0"), said("2", "1")])).await;
        held.commit(members([account(&long("3"), long("1").as_str())])).await;
    }

    let stored = "select concat_ws(' ', (select count(*) from activities), (select count(parent_id) from activities),
                      (select count(*) from members))";
    assert_eq!(ground.lines(stored).await, ["2 1 2"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_body_of_ten_megabytes_is_stored_to_the_letter(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let body: String = (0..)
        .map(|n: u64| format!("<p>{n} 🦀\r\n</p>"))
        .scan(0, |bytes, line| {
            *bytes += line.len();
            (*bytes <= 10 << 20).then_some(line)
        })
        .collect();

    held.commit(activities([Activity { body: Some(body.clone()), ..comment("c") }])).await;

    assert!(ground.lines("select body from activities").await == [&*body]);
    assert!(10 << 20 > body.len() && body.len() > (10 << 20) - 100);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn instants_that_postgres_knows_stay_what_they_are(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held: Held = ground.hold().await;
    for (given, stored) in [
        ("-4711-01-01T00:00:00Z", "4712-01-01T00:00:00 BC"),
        ("0000-01-01T00:00:00Z", "0001-01-01T00:00:00 BC"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999"),
        ("+262142-12-31T23:59:59.999999Z", "262142-12-31T23:59:59.999999"),
        // What it does not know becomes the first that it does.
        ("-262143-01-01T00:00:00Z", "4713-12-07T16:00:00 BC"),
    ] {
        let timestamp = given.parse().unwrap();
        held.commit(activities([Activity { timestamp, ..comment(given) }])).await;
        let stored_as = "select (to_jsonb(timestamp at time zone 'utc') #>> '{}') from activities order by created_at desc, id desc limit 1";
        assert_eq!(ground.lines(stored_as).await, [stored]);
    }
}
