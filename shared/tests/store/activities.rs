//! Things people did: stored once, edited in place, and not written when nothing is new.

use serde_json::{Map, Value, json};
use shared::domain::Activity;
use sqlx::PgPool;

use crate::ground::{Ground, Held};
use crate::records::{account, activities, at, comment, person};

fn full(source_id: &str) -> Activity {
    Activity {
        title: Some("On engines".into()),
        body: Some("<p>They weave.</p>".into()),
        url: Some("https://toy.example/c".into()),
        channel: Some("notes".into()),
        attributes: fields(json!({"thread": true, "labels": ["a", "b"]})),
        source_parent_id: Some("p".into()),
        object_member: Some(account("babbage", None)),
        ..comment(source_id)
    }
}

fn fields(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

async fn only(ground: &Ground) -> Value {
    sqlx::query_scalar("select to_jsonb(activities) from activities")
        .fetch_one(ground.store.pool())
        .await
        .unwrap()
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_activity_is_one_by_its_tenant_platform_type_and_id(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let rival = ground.of_another_tenant().await;
    let elsewhere = Activity { platform: "elsewhere".into(), ..comment("7") };
    let of_another_type = Activity { kind: "star".into(), ..comment("7") };
    let page = || {
        let again = Activity { body: Some("again".into()), ..comment("7") };
        activities([comment("7"), elsewhere.clone(), of_another_type.clone(), again])
    };

    let (ours, theirs) = (ground.hold().await, rival.hold().await);
    ours.commit(page()).await;
    theirs.commit(page()).await;
    ours.commit(page()).await;

    let stored = "select t.name || ' ' || platform || ' ' || type || ' ' || coalesce(body, '-')
                  from activities a join tenants t on t.id = a.tenant_id
                  order by 1";
    assert_eq!(
        ground.lines(stored).await,
        [
            "acme elsewhere comment -",
            "acme toy comment again",
            "acme toy star -",
            "rival elsewhere comment -",
            "rival toy comment again",
            "rival toy star -",
        ]
    );
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_edit_updates_and_the_first_timestamp_stays(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    held.commit(activities([full("c")])).await;
    let first = ground.clock.now();
    ground.clock.advance(std::time::Duration::from_secs(60));

    let edited = Activity {
        timestamp: at("2024-04-02T00:00:00Z"),
        body: Some("<p>They weave algebra.</p>".into()),
        title: None,
        score: 8,
        is_contribution: false,
        attributes: fields(json!({"edited": true})),
        ..full("c")
    };
    held.commit(activities([edited])).await;

    let stored = only(&ground).await;
    let of = |names: &[&str]| Value::from_iter(names.iter().map(|&name| stored[name].clone()));
    assert_eq!(
        of(&["timestamp", "body", "title", "score", "is_contribution", "attributes"]),
        json!([
            "2024-04-01T00:00:00+00:00",
            "<p>They weave algebra.</p>",
            "On engines",
            8,
            false,
            {"thread": true, "labels": ["a", "b"], "edited": true}
        ])
    );
    let dates: Vec<chrono::DateTime<chrono::Utc>> =
        serde_json::from_value(of(&["created_at", "updated_at"])).unwrap();
    assert_eq!(dates, [first, ground.clock.now()]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn each_field_is_edited_by_itself_and_a_missing_one_stays(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    held.commit(activities([full("c")])).await;
    let bare = Activity { score: 6, ..comment("c") };
    let said = || Some("new".to_owned());
    let edits = [
        ("title", Activity { title: said(), ..bare.clone() }),
        ("body", Activity { body: said(), ..bare.clone() }),
        ("url", Activity { url: said(), ..bare.clone() }),
        ("channel", Activity { channel: said(), ..bare.clone() }),
        ("source_parent_id", Activity { source_parent_id: said(), ..bare.clone() }),
        ("score", Activity { score: -2, ..bare.clone() }),
        ("is_contribution", Activity { is_contribution: false, score: -2, ..bare.clone() }),
        (
            "attributes",
            Activity {
                attributes: fields(json!({"labels": ["b"]})),
                is_contribution: false,
                score: -2,
                ..bare.clone()
            },
        ),
    ];

    for (field, edit) in edits {
        let before = only(&ground).await;
        held.commit(activities([edit])).await;
        let after = only(&ground).await;
        let changed = |name: &&String| before[*name] != after[*name];
        let fields: Vec<&String> = after.as_object().unwrap().keys().filter(changed).collect();
        assert_eq!(fields, [field]);
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_attribute_that_became_less_is_less(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    for (more, less) in [
        (json!(["bug", "help"]), json!(["help"])),
        (json!([{"name": "tada", "count": 1}]), json!([])),
        (json!({"id": 1, "body": "root"}), json!({"id": 1})),
        (json!({"id": 1}), json!({})),
        (json!(["a", "b"]), json!(["b", "a"])),
        (json!("open"), Value::Null),
    ] {
        let saying = |value| Activity { attributes: fields(json!({"is": value})), ..comment("c") };
        held.commit(activities([saying(more)])).await;
        held.commit(activities([saying(less.clone())])).await;
        assert_eq!(only(&ground).await["attributes"], json!({"is": less}));
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn two_pages_that_each_know_something_of_an_activity_keep_both(pool: PgPool) {
    let ground = Ground::on(pool).await;
    // Runs of their own: in one run, one worker takes streams, one after the other.
    let (one, other, third) = (ground.hold().await, ground.hold().await, ground.hold().await);
    let ids: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    let page = |held: &Held, name: &str| {
        let knowing = |id: &String| Activity {
            attributes: Map::from_iter([(name.to_owned(), json!(true))]),
            ..comment(id)
        };
        let (held, records) = (held.clone(), activities(ids.iter().map(knowing)));
        async move { held.commit(records).await }
    };
    tokio::join!(
        page(&one, "hashtag/rust"),
        page(&other, "hashtag/wasm"),
        page(&third, "hashtag/rust")
    );
    let question = "select attributes::text from activities group by 1";
    let both = r#"{"hashtag/rust": true, "hashtag/wasm": true}"#;
    assert_eq!(ground.lines(question).await, [both]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_says_nothing_new_is_not_written(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let page = || {
        let by = |name: &str| person(name, name, None).attribute("bio", Some("x"));
        let one = Activity { member: by("ada"), ..full("c") };
        let other = Activity { member: by("bob"), source_parent_id: Some("c".into()), ..full("d") };
        activities([one, other])
    };
    held.commit(page()).await;
    ground.clock.advance(std::time::Duration::from_secs(60));
    let in_sink = async || {
        let everything = ground.everything().await;
        let rows = everything.into_iter().filter(|row| row.starts_with(['a', 'm']));
        rows.collect::<Vec<_>>()
    };
    let before = in_sink().await;
    assert_eq!(before.len(), 2 + 3 + 3, "activities, members and identities");

    held.commit(page()).await;
    // By another integration, too.
    ground.hold().await.commit(page()).await;

    assert_eq!(in_sink().await, before);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_activity_whose_doer_turns_out_to_be_another_is_theirs(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    held.commit(activities([Activity { member: person("Ada", "ada", None), ..comment("c") }]))
        .await;
    held.commit(activities([Activity { member: person("Bob", "bob", None), ..comment("c") }]))
        .await;

    let who = "select m.display_name from activities a join members m on m.id = a.member_id";
    assert_eq!(ground.lines(who).await, ["Bob"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_an_integration_saw_outlives_it(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    held.commit(activities([comment("c")])).await;

    assert!(ground.store.delete_integration(held.integration).await.unwrap());

    assert_eq!(only(&ground).await["integration_id"], Value::Null);
    let left = "select 'a member' from members union all select 'a run' from integration_runs
                union all select 'a stream' from integration_streams";
    assert_eq!(ground.lines(left).await, ["a member"]);
}
