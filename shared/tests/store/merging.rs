//! What is merged when a member is met again: much is added, nothing is erased, and who learns
//! nothing is not written.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::domain::{Activity, Member, MemberAttribute};
use sqlx::PgPool;

use crate::ground::{Ground, Held};
use crate::records::{account, activities, at, comment, members, person};

/// One column of the only member there is.
async fn member(ground: &Ground, column: &'static str) -> Value {
    let row: Value = sqlx::query_scalar("select to_jsonb(members) from members")
        .fetch_one(ground.store.pool())
        .await
        .unwrap();
    row[column].clone()
}

async fn meet(held: &Held, mentions: impl IntoIterator<Item = Member>) {
    for mention in mentions {
        held.commit(members([mention])).await;
    }
}

fn joined(at: &str) -> Member {
    Member { joined_at: Some(at.parse().unwrap()), ..account("ada", None) }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn emails_are_a_union(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let with = |emails: &[&str]| Member {
        emails: emails.iter().map(|&email| email.into()).collect(),
        ..account("ada", None)
    };

    let mentions =
        [with(&["b@x.org", "a@x.org"]), with(&[]), with(&["c@x.org", "b@x.org", "\0c@x.org", ""])];
    meet(&held, mentions).await;

    assert_eq!(member(&ground, "emails").await, json!(["a@x.org", "b@x.org", "c@x.org"]));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn the_first_display_name_stays(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    // An empty one is none.
    meet(&held, [account("ada", None), person("", "ada", None)]).await;
    assert_eq!(member(&ground, "display_name").await, Value::Null);
    meet(&held, [person("Ada", "ada", None), person("Countess", "ada", None)]).await;

    assert_eq!(member(&ground, "display_name").await, "Ada");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn the_earliest_real_sign_of_somebody_counts(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    // The epoch stands for "unknown".
    let unknown = joined("1970-01-01T00:00:00Z");
    meet(&held, [unknown.clone()]).await;
    assert_eq!(member(&ground, "joined_at").await, Value::Null);
    meet(&held, [joined("2021-05-01T00:00:00Z"), joined("2022-01-01T00:00:00Z"), unknown.clone()])
        .await;
    assert_eq!(member(&ground, "joined_at").await, "2021-05-01T00:00:00+00:00");

    // Whatever somebody did, they had joined by then; unless nobody knows when they did it.
    let did = |when: &str, who: &Member| Activity {
        timestamp: at(when),
        member: who.clone(),
        ..comment(when)
    };
    let page = [
        did("2020-02-03T00:00:00Z", &unknown),
        did("1970-01-01T00:00:00Z", &account("ada", None)),
        did("1969-01-01T00:00:00Z", &account("ada", None)),
    ];
    held.commit(activities(page)).await;
    assert_eq!(member(&ground, "joined_at").await, "2020-02-03T00:00:00+00:00");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_unknown_date_in_a_page_does_not_hide_a_real_one(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    let page = [joined("1970-01-01T00:00:00Z"), joined("2021-05-01T00:00:00Z")];
    held.commit(members(page)).await;

    assert_eq!(member(&ground, "joined_at").await, "2021-05-01T00:00:00+00:00");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn reach_is_the_newest_number_of_each_platform_and_their_total(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let with = |reach: &[(&str, i64)]| Member {
        reach: BTreeMap::from_iter(reach.iter().map(|&(platform, count)| (platform.into(), count))),
        ..account("ada", None)
    };

    meet(&held, [with(&[("toy", 10)])]).await;
    assert_eq!(member(&ground, "reach").await, json!({"toy": 10, "total": 10}));

    meet(&held, [with(&[("elsewhere", 5)]), with(&[]), with(&[("toy", 7)])]).await;
    assert_eq!(member(&ground, "reach").await, json!({"toy": 7, "elsewhere": 5, "total": 12}));

    // The total is ours to say.
    meet(&held, [with(&[("total", 1_000)]), with(&[("toy", i64::MAX)])]).await;
    let total = json!(i64::MAX as u64 + 5);
    assert_eq!(
        member(&ground, "reach").await,
        json!({"toy": i64::MAX, "elsewhere": 5, "total": total})
    );
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_reach_that_is_nothing_but_a_total_says_nothing(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let reach = BTreeMap::from_iter([("total".to_owned(), 1_000)]);

    meet(&held, [Member { reach, ..account("ada", None) }]).await;

    assert_eq!(member(&ground, "reach").await, json!({}));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn attributes_are_merged_two_levels_deep(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let with = |name: &str, value: Value| account("ada", None).attribute(name, Some(value));

    meet(
        &held,
        [
            with("bio", json!("mathematician")),
            with("bio", Value::Null),
            with("bio", json!("analyst")).attribute_on("elsewhere", "bio", Some("countess")),
            with("url", json!("https://ada.example")),
        ],
    )
    .await;

    assert_eq!(
        member(&ground, "attributes").await,
        json!({
            "bio": {"toy": "analyst", "elsewhere": "countess"},
            "url": {"toy": "https://ada.example"}
        })
    );
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_attribute_that_became_less_is_less(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    for (more, less) in [
        (json!(["rust", "sql"]), json!(["sql"])),
        (json!(["rust"]), json!([])),
        (json!({"from": 1815, "to": 1852}), json!({"from": 1815})),
        (json!(["a", "b"]), json!(["b", "a"])),
        (json!(true), json!(false)),
        (json!("text"), json!("")),
    ] {
        meet(&held, [account("ada", None).attribute("is", Some(more))]).await;
        meet(&held, [account("ada", None).attribute("is", Some(less.clone()))]).await;
        assert_eq!(member(&ground, "attributes").await, json!({"is": {"toy": less}}));
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn null_never_overwrites(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let known = Member {
        joined_at: Some(at("2021-05-01T00:00:00Z")),
        reach: BTreeMap::from_iter([("toy".to_owned(), 10)]),
        ..person("Ada", "ada", "1").attribute("bio", Some("mathematician"))
    };
    let mut silent = account("ada", "1");
    silent.attributes.entry("bio".into()).or_default().insert("toy".into(), Value::Null);
    held.commit(members([known])).await;
    let before = ground.everything().await;
    let is_sink = |row: &&String| row.starts_with("member");

    held.commit(members([silent])).await;

    let after = ground.everything().await;
    assert!(before.iter().filter(is_sink).eq(after.iter().filter(is_sink)));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn who_learns_something_is_noted_as_changed(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    held.commit(members([person("Ada", "ada", None)])).await;
    let first = ground.clock.now();

    ground.clock.advance(std::time::Duration::from_secs(60));
    held.commit(members([account("ada", None)])).await;
    let unchanged = json!([first, first]);
    let dates =
        async || json!([member(&ground, "created_at").await, member(&ground, "updated_at").await]);
    let instants =
        |dates: Value| serde_json::from_value::<Vec<chrono::DateTime<chrono::Utc>>>(dates);
    assert_eq!(instants(dates().await).unwrap(), instants(unchanged).unwrap());

    held.commit(members([account("ada", None).attribute("bio", Some("analyst"))])).await;
    assert_eq!(instants(dates().await).unwrap(), [first, ground.clock.now()]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn attributes_are_defined_once_per_tenant(pool: PgPool) {
    use shared::domain::AttributeType::{String as Text, Url};
    let ground = Ground::on(pool).await;
    let rival = ground.of_another_tenant().await;
    let attribute = |name, kind, label| MemberAttribute { name, kind, label, hidden: false };
    let define = async |ground: &Ground, attributes: &[MemberAttribute]| {
        ground.store.define_member_attributes(ground.tenant, attributes).await.unwrap();
    };

    define(&ground, &[attribute("url", Url, "URL"), attribute("bio", Text, "Bio")]).await;
    define(&ground, &[attribute("bio", Text, "Life"), attribute("name", Text, "Name")]).await;
    define(&rival, &[attribute("bio", Text, "Biography")]).await;
    define(&rival, &[]).await;

    let defined = "select t.name || ': ' || a.name || ' ' || type || ' ' || label
                   from member_attributes a join tenants t on t.id = a.tenant_id order by 1";
    assert_eq!(
        ground.lines(defined).await,
        [
            "acme: bio string Bio",
            "acme: name string Name",
            "acme: url url URL",
            "rival: bio string Biography"
        ]
    );
}
